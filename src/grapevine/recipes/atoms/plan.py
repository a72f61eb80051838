"""The configuration of a potential's training by a few words: structures, network, and what shall differ."""

from pathlib import Path

from grapevine.errors import InputError, check
from grapevine.recipes.atoms.config import (
    POTENTIALS,
    AtomsConfig,
    AtomsSource,
    AtomsSplit,
    PotentialConfig,
    PotentialName,
)
from grapevine.recipes.atoms.models import potential_batch_size, potential_settings
from grapevine.recipes.atoms.trained import load_potential


def plan_potential(
    data: str | Path | AtomsSource,
    model: str | None = None,
    *,
    split: AtomsSplit | None = None,
    max_epochs: int | None = None,
    finetune: str | Path | None = None,
    name: str | None = None,
) -> AtomsConfig:
    """What a potential is trained with, sensible settings where nothing is told.

    Args:
        data: a file of structures, or an `AtomsSource`.
        model: mace, nequip, painn, schnet, dtnn, egnn or dimenet; None: that of `finetune`, or mace.
        finetune: a run whose weights it begins with; it then learns with a tenth of the step.
        name: of the run folder.

    Raises:
        InputError: if there is no such model, or no such run.

    >>> config = plan_potential("frames.xyz", "schnet", max_epochs=20)
    >>> config.name, config.model.name, config.training.max_epochs
    ('frames-schnet', 'schnet', 20)
    """
    begun = None if finetune is None else load_potential(finetune)
    chosen: PotentialName = "mace" if begun is None else begun.config.name
    if model is not None:
        check(model in POTENTIALS, f"there is no potential {model!r}; there are {', '.join(POTENTIALS)}")
        chosen = model  # pyright: ignore[reportAssignmentType] it is one of them
    if begun is not None and begun.config.name != chosen:
        raise InputError(f"{finetune} is a {begun.config.name}, which can not be gone on from as {chosen}")
    source = data if isinstance(data, AtomsSource) else AtomsSource(path=str(data))
    training = potential_settings(chosen)
    if begun is not None:
        training = training.model_copy(update={"learning_rate": training.learning_rate / 10})
    if max_epochs is not None:
        training = training.model_copy(update={"max_epochs": max_epochs})
    return AtomsConfig(
        name=name or f"{source.name}-{chosen}",
        source=source,
        split=split or AtomsSplit(),
        model=PotentialConfig(name=chosen) if begun is None else begun.config,
        batch_size=potential_batch_size(chosen),
        training=training,
        finetune=None if finetune is None else str(finetune),
    )
