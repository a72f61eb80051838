"""How a model is trained, all of it: the same settings and the same seed give the same weights.

Adam: Kingma & Ba 2015; AdamW: Loshchilov & Hutter 2019. The defaults are those of Kipf & Welling 2017 (Adam, step
0.01, weight decay 5e-4) with the patience of Velickovic et al. 2018 (100 epochs).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from grapevine.task.task import Level
from grapevine.train.consistency import Consistency

OptimizerName = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["none", "plateau", "cosine", "step"]
Precision = Literal["32-true", "bf16-mixed", "bf16-true"]  # Fabric's names
Accelerator = Literal["auto", "cpu", "cuda", "mps"]
Share = Annotated[float, Field(ge=0, lt=1)]


class Settings(BaseModel):
    """How a model is trained.

    Args:
        optimizer: "adam", "adamw" (weight decay apart from the gradient) or "sgd".
        learning_rate: the step, the highest one where a schedule changes it.
        weight_decay: how strongly weights are drawn to zero.
        other_weight_decay: the same for those that `weight_decay` is not of, where it is not of all.
        momentum: of SGD.
        schedule: "none", "plateau" (times `plateau_factor` after `plateau_patience` epochs without gain), "cosine"
            (down to `min_learning_rate` at `max_epochs`; Loshchilov & Hutter 2017) or "step" (times `step_factor`
            every `step_epochs`).
        warmup_epochs: during these the step grows in equal parts from learning_rate / warmup_epochs.
        min_learning_rate: no schedule goes below it.
        clip_norm: a gradient longer than this is shortened to it; None: never. See `default_clip_norm`.
        max_epochs: how many epochs there can be.
        max_minutes: training ends with the epoch that is under way after so many minutes, and a cosine comes down by
            then; None: there is no such bound. How far it comes then depends on the machine.
        patience: training stops after so many epochs without gain on the validation part.
        stop_on: what is to gain: the "loss" of the validation part, or the objective's "metric".
        ema: the decay of an exponential moving average of the weights, which then is what is judged and kept; or None.
        accumulate: so many batches make one step.
        checkpoint_every: so many `checkpoint_unit` from one checkpoint to the next, where checkpoints are kept.
        precision: "32-true" (the model as it is), "bf16-mixed" (its weights stay float32) or "bf16-true";
            see `grapevine.train.engine`.
        accelerator: "auto" takes a GPU if there is one.
        devices: how many of them share each epoch's batches.
        monitor_every: the health monitors look every so many epochs; so does the metric, unless training stops on it.
        seed: of every random draw in training.
        consistency: several passes a step that are to agree, see `grapevine.train.consistency`; None: one pass.

    >>> Settings(schedule="cosine", warmup_epochs=5).learning_rate
    0.01
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimizer: OptimizerName = "adam"
    learning_rate: PositiveFloat = 0.01
    weight_decay: NonNegativeFloat = 5e-4
    other_weight_decay: NonNegativeFloat = 0.0
    momentum: Share = 0.9
    schedule: ScheduleName = "none"
    warmup_epochs: NonNegativeInt = 0
    min_learning_rate: NonNegativeFloat = 0.0
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    plateau_patience: PositiveInt = 10
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    step_epochs: PositiveInt = 50
    clip_norm: PositiveFloat | None = None
    max_epochs: PositiveInt = 1000
    max_minutes: PositiveFloat | None = None
    patience: PositiveInt = 100
    stop_on: Literal["loss", "metric"] = "loss"
    ema: Share | None = None
    accumulate: PositiveInt = 1
    checkpoint_every: PositiveFloat = 60.0
    checkpoint_unit: Literal["seconds", "epochs"] = "seconds"
    precision: Precision = "32-true"
    accelerator: Accelerator = "auto"
    devices: PositiveInt = 1
    monitor_every: PositiveInt = 10
    seed: int = 0
    consistency: Consistency | None = None


def default_clip_norm(level: Level) -> float | None:
    """The length that gradients are clipped to by default: 1 where batches of graphs are small and uneven, else none.

    >>> default_clip_norm("graph"), default_clip_norm("node")
    (1.0, None)
    """
    return 1.0 if level == "graph" else None
