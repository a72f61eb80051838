"""chemprop's side of the benchmarks of molecules: a script that chemprop's own Python runs, which has no Grapevine.

    CHEMPROP_PYTHON benchmarks/chemprop_side.py JOB.json

A job is a JSON file, each answer a line of JSON. The models are those of chemprop's own command with its defaults.
"""

# pyright: reportMissingImports=false

import json
import logging
import math
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from chemprop.conf import LIGHTNING_26_COMPAT_ARGS
from chemprop.data import MoleculeDatapoint, MoleculeDataset, build_dataloader
from chemprop.models import MPNN
from chemprop.models.utils import save_model
from chemprop.nn import BinaryClassificationFFN, BondMessagePassing, NormAggregation, RegressionFFN, UnscaleTransform
from lightning import pytorch as pl
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

_BATCH = 64
_NAMES = {  # theirs, and those of Grapevine's D-MPNN
    "message_passing.W_i.weight": "encoder.lin_start.weight",
    "message_passing.W_h.weight": "encoder.lin_message.weight",
    "message_passing.W_o.weight": "encoder.lin_atom.weight",
    "message_passing.W_o.bias": "encoder.lin_atom.bias",
    "predictor.ffn.0.0.weight": "head.network.layers.0.weight",
    "predictor.ffn.0.0.bias": "head.network.layers.0.bias",
    "predictor.ffn.1.2.weight": "head.network.layers.1.weight",
    "predictor.ffn.1.2.bias": "head.network.layers.1.bias",
}
_SUMMED = "predictor.ffn.0.0.weight"  # reads the sum over atoms; chemprop divides that


class Told(Callback):
    """An epoch begins when a line comes in, and says how long it took when it is over."""

    def __init__(self, tell: Callable[..., None]):
        super().__init__()
        self.tell, self.begin = tell, 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        sys.stdin.readline()
        self.begin = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.tell(seconds=time.perf_counter() - self.begin)


def train(job: dict[str, Any], tell: Callable[..., None]) -> None:
    """Train on each of the splits with the defaults of `chemprop train`, and predict the test part."""
    problem = json.loads(Path(job["problem"]).read_text())
    for fold in job["folds"]:
        pl.seed_everything(fold, verbose=False)
        sets, scale = _sets(problem, fold)
        model = _model(problem["kind"], len(problem["targets"]), scale)
        loaders = {part: _loader(data, part, seed=fold) for part, data in sets.items()}
        with tempfile.TemporaryDirectory() as folder:
            trainer = _trainer(job["epochs"], [ModelCheckpoint(folder, monitor="val_loss", mode="min")])
            begin = time.perf_counter(), time.process_time()
            trainer.fit(model, loaders["train"], loaders["val"])
            took = {"seconds": time.perf_counter() - begin[0], "processor": time.process_time() - begin[1]}
            said = trainer.predict(dataloaders=loaders["test"], ckpt_path="best", **LIGHTNING_26_COMPAT_ARGS)
        tell(fold=fold, **took, said=torch.cat(said).tolist())


def epochs(job: dict[str, Any], tell: Callable[..., None]) -> None:
    """Say what the model of these weights predicts of the test part, then train an epoch whenever a line comes in."""
    problem = json.loads(Path(job["problem"]).read_text())
    sets, scale = _sets(problem, 0)
    model = _with_weights(_model(problem["kind"], len(problem["targets"]), scale), job["weights"]).eval()
    with torch.no_grad():
        tell(said=torch.cat([model(batch.bmg) for batch in _loader(sets["test"], "test", seed=0)]).tolist())
    workers = {"num_workers": job["workers"], "persistent_workers": True} if job["workers"] else {}
    loaders = [_loader(sets[part], part, seed=0, **workers) for part in ("train", "val")]
    _trainer(job["epochs"], [Told(tell)]).fit(model, *loaders)


def save(job: dict[str, Any], tell: Callable[..., None]) -> None:
    """Write the model of these weights as a file that `chemprop predict` reads."""
    scale = UnscaleTransform(job["mean"], job["std"])
    model = _with_weights(_model("regression", len(job["targets"]), scale), job["weights"])
    save_model(job["out"], model, job["targets"])
    tell(parameters=sum(p.numel() for p in model.parameters()))


def _model(kind: str, count: int, scale: UnscaleTransform | None) -> MPNN:
    """The model of chemprop's defaults."""
    head = RegressionFFN if kind == "regression" else BinaryClassificationFFN
    return MPNN(BondMessagePassing(), NormAggregation(), head(n_tasks=count, output_transform=scale))


def _with_weights(model: MPNN, path: str) -> MPNN:
    """With the weights of a Grapevine network of the same shape."""
    told = torch.load(path)
    own = {name: told[other] for name, other in _NAMES.items()}
    own[_SUMMED] = own[_SUMMED] * model.agg.norm
    parameters = {name for name, _ in model.named_parameters()}
    assert parameters == set(own), f"the weights are not those of the model: {parameters ^ set(own)}"
    model.load_state_dict(own, strict=False)  # beside parameters there are scales
    return model


def _sets(problem: dict[str, Any], fold: int) -> tuple[dict[str, MoleculeDataset], UnscaleTransform | None]:
    """The parts of a split; numbers to learn are put on the scale of the training part."""
    smiles, y, split = problem["smiles"], problem["y"], problem["splits"][fold]
    sets = {}
    for part in ("train", "val", "test"):
        answers = {row: [math.nan if value is None else value for value in y[row]] for row in split[part]}
        sets[part] = MoleculeDataset(
            [MoleculeDatapoint.from_smi(smiles[row], y=known) for row, known in answers.items()]
        )
    if problem["kind"] != "regression":
        return sets, None
    scaler = sets["train"].normalize_targets()
    sets["val"].normalize_targets(scaler)
    return sets, UnscaleTransform.from_standard_scaler(scaler)


def _loader(data: MoleculeDataset, part: str, *, seed: int, **workers: Any) -> DataLoader:
    data.cache = part != "test"  # as the command does
    return build_dataloader(data, _BATCH, seed=seed, shuffle=part == "train", **workers)


def _trainer(epochs: int, callbacks: Sequence[Callback]) -> pl.Trainer:
    is_kept = any(isinstance(callback, ModelCheckpoint) for callback in callbacks)
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, callbacks=list(callbacks), logger=False,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=is_kept,
    )  # fmt: skip


def main() -> None:
    """Do the job of the file that is named."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever else is said goes elsewhere

    def tell(**said: Any) -> None:
        answers.write(json.dumps(said) + "\n")
        answers.flush()

    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(job["threads"])
    {"train": train, "epochs": epochs, "save": save}[job["what"]](job, tell)


if __name__ == "__main__":
    main()
