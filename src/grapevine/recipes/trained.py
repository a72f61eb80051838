"""A trained model with all that is needed to use it: networks, objective, encoders, and what its numbers mean.

p = softmax(log mean_m p_m / T)        classes: the mean of the members' probabilities, made true by a temperature T
y = mean_m y_m,  spread = s std_m y_m  numbers: s makes the spread true on the validation part
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

import grapevine
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.structure_files import refuse_potential
from grapevine.data.tables import TableEncoders
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.models import ModelConfig, build_network
from grapevine.recipes.models.given import GRAPH_FEATURES, graph_channels_of
from grapevine.recipes.prepare import NOTHING, Preparation
from grapevine.task import AnyObjective, Regression, SingleLabel, read_objective
from grapevine.task.task import Level
from grapevine.train.calibration import fit_spread_scale, fit_temperature
from grapevine.train.ensemble import Members
from grapevine.train.run import join_members, load_run, split_members
from grapevine.train.run_files import read_json, write_files


class Inputs(BaseModel):
    """What a model was made for: the widths of a graph's tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: int
    is_sparse: bool = False
    edge_channels: int | None = None
    graph_channels: int = 0
    has_edge_weight: bool = False
    is_directed: bool = False

    @classmethod
    def of(cls, graph: Graph) -> "Inputs":
        """Those of a graph."""
        edge = graph.edge.get("edge_attr")
        width = None if edge is None else (1 if len(edge.shape) == 1 else edge.shape[1])
        is_sparse = isinstance(graph.x, SparseMatrix)
        channels = 1 if len(graph.x.shape) == 1 else graph.x.shape[1]
        return cls(
            channels=channels,
            is_sparse=is_sparse,
            edge_channels=width,
            graph_channels=graph_channels_of(graph),
            has_edge_weight="edge_weight" in graph.edge,
            is_directed=not graph.adj.is_symmetric(),
        )

    def check(self, graph: Graph) -> None:
        """Raise an InputError unless the graph has what the model was made for."""
        check("x" in graph.node, "the graph must hold features x of its nodes")
        came = Inputs.of(graph)
        wanted = f"the model takes {self.channels} features a node"
        check(came.channels == self.channels, f"{wanted}, the graph has {came.channels}")
        if self.edge_channels is not None:
            check(came.edge_channels == self.edge_channels, f"the model takes {self.edge_channels} features an edge")
        is_fit = came.graph_channels == self.graph_channels
        check(is_fit, f"the model takes {self.graph_channels} features a graph, these have {came.graph_channels}")

    def example(self) -> Graph:
        """A graph of two nodes that is of these widths."""
        edges = [[0], [1]] if self.is_directed else [[0, 1], [1, 0]]
        count = len(edges[0])
        x: Any = torch.zeros(2, self.channels)
        if self.is_sparse:
            x = SparseMatrix.from_torch(x.to_sparse_csr())
        edge = {} if self.edge_channels is None else {"edge_attr": torch.zeros(count, self.edge_channels)}
        if self.has_edge_weight:
            edge["edge_weight"] = torch.ones(count)
        whole = {GRAPH_FEATURES: torch.zeros(1, self.graph_channels)} if self.graph_channels else {}
        return Graph(edges, node={"x": x}, edge=edge, graph=whole)


@dataclass(frozen=True)
class Trained:
    """One network, or the members of an ensemble, ready to be used.

    Args:
        networks: called as networks(graph, items), [k, members, c].
        config: what the networks are.
        level: of what something is predicted.
        inputs: what they were made for.
        encoders: how tables or molecules are read for them; None if they were trained on neither.
        class_names: of the classes, in order.
        temperature: the T of the probabilities of classes.
        spread_scale: the s of the spread of numbers.
        prepare: what is done to a graph before the networks see it.
    """

    networks: Members
    config: ModelConfig
    objective: AnyObjective
    level: Level
    inputs: Inputs
    encoders: TableEncoders | MoleculeEncoders | None = None
    class_names: tuple[str, ...] | None = None
    temperature: float = 1.0
    spread_scale: float = 1.0
    prepare: Preparation = NOTHING

    @property
    def num_members(self) -> int:
        return len(self.networks.models)

    @property
    def num_parameters(self) -> int:
        """Of all members together."""
        return sum(p.numel() for p in self.networks.parameters())

    def merged(self, output: Tensor, *, is_calibrated: bool = True) -> Tensor:
        """[k, c] what the members' [k, m, c] come to, in the form that the objective takes."""
        if output.ndim == 2:  # no item was asked
            return output
        if isinstance(self.objective, Regression):
            return output.mean(1)
        temperature = self.temperature if is_calibrated else 1.0
        if isinstance(self.objective, SingleLabel):
            logits = output[:, 0] if output.shape[1] == 1 else output.softmax(2).mean(1).log()
            return logits / temperature
        return output[:, 0] if output.shape[1] == 1 else torch.logit(output.sigmoid().mean(1))

    def spread(self, output: Tensor) -> Tensor:
        """[k, t] how far the members are apart: of the predicted class's probability, of each label's, of each number
        in the user's units; 0 for one member."""
        objective = self.objective
        if isinstance(objective, Regression):
            scale = output.new_tensor(objective.std or (1.0,) * objective.num_targets)
            return self.spread_scale * scale * output.std(1, correction=0)
        if isinstance(objective, SingleLabel):
            shares = output.softmax(2)
            place = shares.mean(1).argmax(1)[:, None, None].expand(-1, output.shape[1], 1)
            return shares.gather(2, place).std(1, correction=0)
        return output.sigmoid().std(1, correction=0)

    def frame(self, output: Tensor) -> pl.DataFrame:
        """A row for each item: prediction, probabilities, spread; classes by their names."""
        columns = {name: column.cpu().numpy() for name, column in self.objective.columns(self.merged(output)).items()}
        table = pl.DataFrame({self._named(name): self._values(name, column) for name, column in columns.items()})
        if self.num_members == 1:
            return table
        spread = self.spread(output).cpu().numpy()
        names = ["spread"] if spread.shape[1] == 1 else [self._named(f"spread_{t}") for t in range(spread.shape[1])]
        return table.with_columns(pl.Series(name, column) for name, column in zip(names, spread.T, strict=True))

    def targets(self, target: Tensor) -> pl.DataFrame:
        """The known answers in the same manner; null where there is none."""
        rows = target.cpu()
        rows = rows.unsqueeze(1) if rows.ndim == 1 else rows
        names = ["target"] if rows.shape[1] == 1 else [self._named(f"target_{t}") for t in range(rows.shape[1])]
        columns = {}
        for name, column in zip(names, rows.T, strict=True):
            if isinstance(self.objective, SingleLabel):
                known = pl.Series(self._class_of(column.clamp(min=0).numpy()))
                columns[name] = pl.select(pl.when(pl.Series(column.numpy() >= 0)).then(known)).to_series()
            else:
                columns[name] = pl.Series(column.double().numpy(), nan_to_null=True)
        return pl.DataFrame(columns)

    def _values(self, name: str, column: np.ndarray) -> np.ndarray:
        is_class = isinstance(self.objective, SingleLabel) and name == "prediction"
        return self._class_of(column) if is_class else column

    def _class_of(self, numbers: np.ndarray) -> np.ndarray:
        return numbers if self.class_names is None else np.array(self.class_names, dtype=object)[numbers].astype(str)

    def _named(self, column: str) -> str:
        """probability_2 as the class, label or target is called."""
        stem, _, number = column.rpartition("_")
        names = self.encoders.target.columns if self.encoders is not None and self.encoders.target is not None else ()
        if isinstance(self.objective, SingleLabel):
            names = self.class_names or ()
        return f"{stem}_{names[int(number)]}" if number.isdigit() and int(number) < len(names) else column

    def weights(self) -> dict[str, Tensor]:
        """The tensors by name, as a run folder has them."""
        members: list[Mapping[str, Tensor]] = [model.state_dict() for model in self.networks.models]
        return dict(members[0]) if len(members) == 1 else join_members(members)

    def to_dict(self) -> dict[str, Any]:
        """All but the weights and the encoders, as plain values (config.json)."""
        return {
            "grapevine": grapevine.__version__,
            "level": self.level,
            "model": self.config.model_dump(mode="json"),
            "objective": self.objective.model_dump(mode="json"),
            "inputs": self.inputs.model_dump(),
            "members": self.num_members,
            "class_names": None if self.class_names is None else list(self.class_names),
            "temperature": self.temperature,
            "spread_scale": self.spread_scale,
            "prepare": self.prepare.model_dump(exclude_none=True),
        }


def make_trained(
    config: Mapping[str, Any], weights: Mapping[str, Tensor], encoder: Mapping[str, Any] | None
) -> Trained:
    """What `to_dict`, `weights` and the encoders' `to_dict` gave, put together again.

    Raises:
        InputError: if they do not fit together, or are of a version that this one can not read.
    """
    refuse_potential(config)
    try:
        model, inputs = ModelConfig.model_validate(config["model"]), Inputs.model_validate(config["inputs"])
        objective, level = read_objective(config["objective"]), config["level"]
        networks = []
        for member in split_members(weights):
            networks.append(build_network(model, inputs.example(), objective, level=level))
            networks[-1].load_state_dict(member)
        check(len(networks) == config["members"], f"{config['members']} members were saved, {len(networks)} are there")
        names = config["class_names"]
        return Trained(
            Members(networks).eval(), model, objective, level, inputs,
            encoders=None if encoder is None else _read_encoders(encoder),
            class_names=None if names is None else tuple(names),
            temperature=float(config["temperature"]), spread_scale=float(config["spread_scale"]),
            prepare=Preparation.model_validate(config.get("prepare", {})),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"this is no model that this version of Grapevine can build: {error}") from error


def _read_encoders(saved: Mapping[str, Any]) -> TableEncoders | MoleculeEncoders:
    """Of tables, or of molecules."""
    is_of_molecules = "feature_set" in saved.get("spec", {})
    return (MoleculeEncoders if is_of_molecules else TableEncoders).from_dict(saved)


def from_pretrained(folder: Path | str) -> Trained:
    """The model of a run folder, or of a folder that `save_pretrained` made, in evaluation mode.

    Raises:
        InputError: if there is none.
    """
    folder = Path(folder)
    if (folder / "metrics.json").is_file() or not (folder / "config.json").is_file():
        run = load_run(folder)
        return make_trained(run.config, run.weights, run.encoder)
    encoder = folder / "encoder.json"
    try:
        weights = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder / 'model.safetensors'} can not be read: {error}") from error
    return make_trained(read_json(folder / "config.json"), weights, read_json(encoder) if encoder.exists() else None)


def save_pretrained(trained: Trained, folder: Path | str) -> Path:
    """Write config.json, model.safetensors and, for tables, encoder.json: all that using the model needs."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} can not be made: {error}") from error
    encoder = None if trained.encoders is None else trained.encoders.to_dict()
    contents = {"config.json": trained.to_dict(), "model.safetensors": trained.weights(), "encoder.json": encoder}
    write_files(folder, contents)
    return folder


def calibrated(trained: Trained, output: Tensor, target: Tensor) -> Trained:
    """The same model with its temperature or the scale of its spread fitted on these answers (the validation part)."""
    if isinstance(trained.objective, SingleLabel):
        known = target >= 0
        if int(known.sum()) < 20:  # a temperature of a few answers says nothing
            return trained
        plain = trained.merged(output, is_calibrated=False)
        return replace(trained, temperature=fit_temperature(plain[known], target[known]))
    if isinstance(trained.objective, Regression) and trained.num_members > 1 and trained.objective.num_targets == 1:
        error = trained.objective.columns(trained.merged(output))["prediction"] - target.reshape(-1)
        spread = replace(trained, spread_scale=1.0).spread(output)[:, 0]
        if bool((spread > 0).all()) and int((~error.isnan()).sum()) >= 20:
            return replace(trained, spread_scale=fit_spread_scale(error, spread))
    return trained
