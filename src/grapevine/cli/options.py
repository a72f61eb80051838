"""The options of the commands, each declared once: commands that share one name it by its alias here.

Nothing here imports PyTorch, so that `--help` and shell completion are there at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from grapevine.data.structure_files import POTENTIALS

# Kept as words, since the modules that know them take a second to import; a test compares them.
MODELS = (
    "mlp", "gcn", "sage", "gat", "gatv2", "gin", "gine",
    "cheb", "arma", "sgc", "pna", "gatedgcn", "mlp-message", "interaction", "graphnet",
    "ggnn", "mpnn", "dmpnn", "attentivefp", "weave", "molgraph", "fingerprint",
    "h2gcn", "gprgnn", "fagcn", "gat-sep", "sage-sep", "linkx", "dirgnn",
    "gcnii", "appnp", "grand", "grand-diffusion",
)  # fmt: skip
FEATURE_SETS = ("gilmer", "chemprop", "ogb", "full")
FORMATS = ("tu", "gin", "graph", "gnn-benchmark", "heterophilous", "ogb", "xyz")
SPLITS = (
    "public", "random", "stratified", "per_class", "k_fold", "time", "component", "scaffold", "scaffold_sorted",
    "cluster",
)  # fmt: skip
GROUPS = ("item", "scaffold", "cluster")
ENCODINGS = (
    "rwpe", "lappe", "heat", "degree", "distance", "resistance", "rings", "substructures",
    "edge-rwpe", "edge-distance", "edge-resistance",
)  # fmt: skip
REWIRINGS = ("virtual-node", "fully-adjacent", "cayley", "expander", "sdrf", "borf", "fosr", "gdc", "shortcuts")

_DATA, _COLUMNS, _MOLECULES, _QUESTION, _SPLIT = "Data", "Columns of tables", "Molecules", "Question", "Split"
_MODEL, _TRAINING, _OUTPUT = "Model", "Training", "Output"


def complete_dataset(incomplete: str) -> list[str]:
    """The names of data sets that begin so."""
    from grapevine.data.datasets import dataset_names

    return [name for name in dataset_names() if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """The names of models that begin so, behind those that are there already."""
    before, comma, begun = incomplete.rpartition(",")
    return [before + comma + name for name in (*MODELS, *POTENTIALS, "auto") if name.startswith(begun)]


def _complete_last(words: tuple[str, ...]):
    """The last of several by commas."""

    def complete(incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        return [before + comma + word for word in words if word.startswith(begun)]

    return complete


def _complete(words: tuple[str, ...]):
    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


# What a command works on.
Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="A data set's name (see grapevine datasets), or a file or folder of graphs.",
        autocompletion=complete_dataset,
        show_default=False,
    ),
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as runs/cora-gcn.", show_default=False)]
Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", show_default=False)]
RunOrData = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN|DATA",
        help="A run folder, a data set's name, or a file or folder of graphs.",
        autocompletion=complete_dataset,
        show_default=False,
    ),
]
DatasetName = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="One data set, for all that is known of it.", autocompletion=complete_dataset),
]

# Where data are.
Nodes = Annotated[
    str | None, typer.Option(metavar="FILE", help="Table of nodes: .csv, .tsv, .parquet, .jsonl, .arrow.",
                             rich_help_panel=_DATA),
]  # fmt: skip
Edges = Annotated[str | None, typer.Option(metavar="FILE", help="Table of edges.", rich_help_panel=_DATA)]
Sql = Annotated[str | None, typer.Option(metavar="URL", help="A database, as sqlite:///x.db.", rich_help_panel=_DATA)]
NodesQuery = Annotated[
    str | None, typer.Option(metavar="SQL", help="What gives the nodes of it.", rich_help_panel=_DATA)
]
EdgesQuery = Annotated[str | None, typer.Option(metavar="SQL", help="What gives its edges.", rich_help_panel=_DATA)]
Root = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Where a data set's files are or are put. Default: a cache folder.",
        rich_help_panel=_DATA,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"What DATA is, where that can not be seen: {', '.join(FORMATS)}.",
        autocompletion=_complete(FORMATS),
        rich_help_panel=_DATA,
    ),
]

# What the columns of tables are.
Target = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="What to predict; several by commas. Default: found by its name.",
        rich_help_panel=_COLUMNS,
    ),
]
Id = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="The nodes' names.", rich_help_panel=_COLUMNS)]
Src = Annotated[str | None, typer.Option(metavar="COLUMN", help="Where edges come from.", rich_help_panel=_COLUMNS)]
Dst = Annotated[str | None, typer.Option(metavar="COLUMN", help="Where edges go.", rich_help_panel=_COLUMNS)]
Weight = Annotated[str | None, typer.Option(metavar="COLUMN", help="The edges' weight.", rich_help_panel=_COLUMNS)]
Time = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="When a row was, for --split time.", rich_help_panel=_COLUMNS),
]
Directed = Annotated[
    bool, typer.Option("--directed", help="Edges go one way. Default: both ways.", rich_help_panel=_COLUMNS)
]
Use = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="The only features to use; several by commas.", rich_help_panel=_COLUMNS),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Columns to leave out; several by commas.", rich_help_panel=_COLUMNS),
]

# Molecules.
Smiles = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="DATA holds molecules: their SMILES. Default: a column called smiles, smi, mol, ...",
        rich_help_panel=_MOLECULES,
    ),
]  # fmt: skip
Inchi = Annotated[str | None, typer.Option(metavar="COLUMN", help="The same for InChI.", rich_help_panel=_MOLECULES)]
Atoms = Annotated[
    str | None,
    typer.Option(
        metavar="SET", help=f"Features of atoms and bonds: {', '.join(FEATURE_SETS)}. Default: chemprop.",
        autocompletion=_complete(FEATURE_SETS), rich_help_panel=_MOLECULES,
    ),
]  # fmt: skip
Standardise = Annotated[
    bool,
    typer.Option(
        "--standardise", help="Keep the largest part of a salt or mixture, and neutralise it.",
        rich_help_panel=_MOLECULES,
    ),
]  # fmt: skip
Hydrogens = Annotated[
    bool, typer.Option("--hydrogens", help="Make every hydrogen an atom of its own.", rich_help_panel=_MOLECULES)
]
# What is asked.
Level = Annotated[
    Literal["node", "graph", "link", "edge"] | None,
    typer.Option(help="Of what something is predicted. Default: inferred.", rich_help_panel=_QUESTION),
]
Kind = Annotated[
    Literal["classes", "labels", "numbers"] | None,
    typer.Option(help="What the answers are. Default: inferred.", rich_help_panel=_QUESTION),
]
Metric = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What chooses: accuracy, balanced_accuracy, f1_macro, roc_auc, average_precision, quadratic_kappa; "
        "mae, rmse, r2; for links roc_auc, average_precision, mrr, hits@K.",
        rich_help_panel=_QUESTION,
    ),
]
Balanced = Annotated[bool, typer.Option("--balanced", help="Let every class teach as much.", rich_help_panel=_QUESTION)]
NegativesKind = Annotated[
    Literal["uniform", "degree", "hard"] | None,
    typer.Option("--negatives", help="How pairs without an edge are drawn, for links.", rich_help_panel=_QUESTION),
]

# How it is split.
Split = Annotated[
    Literal[
        "public",
        "random",
        "stratified",
        "per_class",
        "k_fold",
        "time",
        "component",
        "scaffold",
        "scaffold_sorted",
        "cluster",
    ]
    | None,
    typer.Option(
        metavar="KIND",
        help=f"Which items teach, choose and judge: {', '.join(SPLITS)}. Default: the data's own, else random.",
        rich_help_panel=_SPLIT,
    ),
]
SplitSeed = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Another split of its kind.", rich_help_panel=_SPLIT)
]
Fold = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Which of several public splits, or of ten folds.", rich_help_panel=_SPLIT),
]
SplitBy = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="WHAT", help=f"What k_fold deals out: {', '.join(GROUPS)}.", autocompletion=_complete(GROUPS),
        rich_help_panel=_SPLIT,
    ),
]  # fmt: skip
TrainShare = Annotated[
    float | None, typer.Option(metavar="X", min=0, max=1, help="The share that teaches.", rich_help_panel=_SPLIT)
]
ValShare = Annotated[
    float | None, typer.Option(metavar="X", min=0, max=1, help="The share that chooses.", rich_help_panel=_SPLIT)
]
Part = Annotated[
    Literal["train", "val", "test"] | None, typer.Option(help="One part of the split. Default: all of them.")
]

# The model.
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"{', '.join(MODELS)}; several by commas, or auto, are compared and the best is kept. "
        f"Of structures of atoms: {', '.join(POTENTIALS)}. Default: gcn, of molecules dmpnn, of structures mace.",
        autocompletion=complete_model,
        rich_help_panel=_MODEL,
    ),
]
Hidden = Annotated[
    int | None,
    typer.Option("--hidden", "--channels", metavar="N", min=1, help="Numbers in a hidden state.",
                 rich_help_panel=_MODEL),
]  # fmt: skip
Layers = Annotated[int | None, typer.Option(metavar="N", min=1, help="How many layers.", rich_help_panel=_MODEL)]
Dropout = Annotated[
    float | None, typer.Option(metavar="X", min=0, max=0.99, help="Share dropped out.", rich_help_panel=_MODEL)
]
Norm = Annotated[
    Literal["none", "batch", "layer", "graph", "pair", "group"] | None,
    typer.Option(help="What is normalised between layers.", rich_help_panel=_MODEL),
]
Residual = Annotated[
    Literal["none", "add", "initial", "gated", "dense"] | None,
    typer.Option(help="What is kept of the states before a layer.", rich_help_panel=_MODEL),
]
Jumping = Annotated[
    Literal["none", "cat", "max", "lstm"] | None,
    typer.Option(help="How the states of all layers are brought together.", rich_help_panel=_MODEL),
]
DropEdge = Annotated[
    float | None,
    typer.Option(metavar="X", min=0, max=0.99, help="Share of edges left out in training.", rich_help_panel=_MODEL),
]
DropNode = Annotated[
    float | None,
    typer.Option(metavar="X", min=0, max=0.99, help="Share of nodes hidden in training.", rich_help_panel=_MODEL),
]
DropMessage = Annotated[
    float | None,
    typer.Option(
        metavar="X", min=0, max=0.99, help="Share of each message dropped in training, of gcn, sage, gin.",
        rich_help_panel=_MODEL,
    ),
]  # fmt: skip
Ensemble = Annotated[
    int | None, typer.Option(min=2, metavar="N", help="Train N members: their mean and spread.", rich_help_panel=_MODEL)
]
Tune = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="First try N settings of the model.", rich_help_panel=_MODEL)
]
Encode = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        help=f"Tell nodes and edges their place, as rwpe:16,lappe:8: {', '.join(ENCODINGS)}.",
        autocompletion=_complete_last(ENCODINGS),
        rich_help_panel=_MODEL,
    ),
]
Rewire = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        help=f"Change the edges that messages pass, as fosr:50: {', '.join(REWIRINGS)}.",
        autocompletion=_complete_last(REWIRINGS),
        rich_help_panel=_MODEL,
    ),
]

Epochs = Annotated[
    int | None,
    typer.Option("--epochs", "--max-epochs", metavar="N", min=1, help="At most so many epochs.",
                 rich_help_panel=_TRAINING),
]  # fmt: skip
LearningRate = Annotated[
    float | None, typer.Option("--learning-rate", "--lr", metavar="X", help="The step.", rich_help_panel=_TRAINING)
]
WeightDecay = Annotated[
    float | None,
    typer.Option(metavar="X", min=0, help="How strongly weights are drawn to zero.", rich_help_panel=_TRAINING),
]
Patience = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Stop after so many epochs without gain.", rich_help_panel=_TRAINING),
]
BatchSize = Annotated[int | None, typer.Option(metavar="N", min=1, help="Graphs a step.", rich_help_panel=_TRAINING)]
Batches = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Steps an epoch, each drawn from all graphs. Default: each graph comes once.",
        rich_help_panel=_TRAINING,
    ),
]  # fmt: skip
Seeds = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Train from so many seeds: mean ± deviation.", rich_help_panel=_TRAINING),
]
Seed = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="The first seed. Default: 0.", rich_help_panel=_TRAINING)
]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"] | None,
    typer.Option(help="Where to train. Default: a GPU if there is one.", rich_help_panel=_TRAINING),
]
Precision = Annotated[
    Literal["32-true", "bf16-mixed", "bf16-true"] | None,
    typer.Option(help="Of the numbers in training.", rich_help_panel=_TRAINING),
]

# What comes out.
Name = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What the run folder is called. Default: DATA-MODEL.", rich_help_panel=_OUTPUT),
]
OutFolder = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Where the run folder is made.", rich_help_panel=_OUTPUT)
]
Resume = Annotated[
    Path | None,
    typer.Option(metavar="RUN", help="Go on with an interrupted run; takes no other option but --json.",
                 rich_help_panel=_OUTPUT),
]  # fmt: skip
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Train what a config.toml says; only --name, --out, --seed, --no-report and --json go with it.",
        rich_help_panel=_OUTPUT,
    ),
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.html.", rich_help_panel=_OUTPUT)]
OutFile = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Write them to a .csv, .tsv, .parquet, .jsonl or .arrow file; structures to .xyz."
    ),
]
Pairs = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Table of pairs of nodes, for a model of links.", rich_help_panel=_DATA),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
