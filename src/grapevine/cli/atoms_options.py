"""The options of the commands that are for structures of atoms, each declared once; nothing here imports PyTorch."""

from pathlib import Path
from typing import Annotated, Literal

import typer

_ATOMS = "Atoms in space"

EnergyKey = Annotated[
    str | None, typer.Option(metavar="NAME", help="Energies in the file. Default: found.", rich_help_panel=_ATOMS)
]
ForcesKey = Annotated[str | None, typer.Option(metavar="NAME", help="The same of forces.", rich_help_panel=_ATOMS)]
StressKey = Annotated[str | None, typer.Option(metavar="NAME", help="The same of stress.", rich_help_panel=_ATOMS)]
EnergyUnit = Annotated[
    Literal["eV", "meV", "Ha", "kcal/mol", "kJ/mol"] | None,
    typer.Option(help="Of energies and forces. Default: as the format has it, else eV.", rich_help_panel=_ATOMS),
]
Cutoff = Annotated[
    float | None, typer.Option(metavar="X", help="How far an atom hears, in angstrom.", rich_help_panel=_ATOMS)
]
Degree = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Highest degree of the states.", rich_help_panel=_ATOMS)
]
Dtype = Annotated[
    Literal["float32", "float64"] | None, typer.Option(help="Of weights and places.", rich_help_panel=_ATOMS)
]
Sizes = Annotated[
    str | None,
    typer.Option(
        "--sizes", metavar="A/B/C", help="How many structures teach, choose and judge, as 950/50/1000, or shares.",
        rich_help_panel=_ATOMS,
    ),
]  # fmt: skip
Test = Annotated[
    str | None, typer.Option("--test", metavar="FILE", help="Structures that judge.", rich_help_panel=_ATOMS)
]
Isolated = Annotated[
    str | None, typer.Option(metavar="FILE", help="Energies of isolated atoms, a frame each.", rich_help_panel=_ATOMS)
]
Finetune = Annotated[
    str | None, typer.Option(metavar="RUN", help="Begin with the weights of a run.", rich_help_panel=_ATOMS)
]
MaxMinutes = Annotated[
    float | None, typer.Option(metavar="X", help="Train for so many minutes at most.", rich_help_panel=_ATOMS)
]
EnergyWeight = Annotated[
    float | None, typer.Option(metavar="X", min=0, help="Of energies in the loss.", rich_help_panel=_ATOMS)
]
ForcesWeight = Annotated[
    float | None, typer.Option(metavar="X", min=0, help="Of forces in the loss.", rich_help_panel=_ATOMS)
]
StressWeight = Annotated[
    float | None, typer.Option(metavar="X", min=0, help="Of stress in the loss.", rich_help_panel=_ATOMS)
]
LastEnergyWeight = Annotated[
    float | None,
    typer.Option(metavar="X", min=0, help="Of energies in the last quarter of training; 0: as before.",
                 rich_help_panel=_ATOMS),
]  # fmt: skip

# What a structure is moved with.
Start = Annotated[Path, typer.Argument(metavar="FILE", help="The structure to begin with.", show_default=False)]
Frame = Annotated[int, typer.Option(metavar="N", help="Which structure of FILE, from 0 on; -1: the last one.")]
Fmax = Annotated[float, typer.Option(metavar="X", help="Until no force is larger, in eV/angstrom.")]
MaxSteps = Annotated[int, typer.Option("--max-steps", metavar="N", min=1, help="At most so many steps.")]
Cell = Annotated[bool, typer.Option("--cell", help="Let the cell relax too.")]
OutStructure = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where the last structure goes, in a format of ASE.")
]
Steps = Annotated[int, typer.Option(metavar="N", min=1, help="How many steps.")]
Timestep = Annotated[float, typer.Option(metavar="X", help="In femtoseconds.")]
Temperature = Annotated[float, typer.Option(metavar="K", min=0, help="To begin with, and of the bath.")]
Ensemble = Annotated[Literal["nve", "langevin"], typer.Option(help="Energy kept, or a bath.")]
Friction = Annotated[float, typer.Option(metavar="X", min=0, help="Of the bath, in 1 / picosecond.")]
Trajectory = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Where the path goes: .traj, .xyz or another format of ASE.")
]
Every = Annotated[int, typer.Option(metavar="N", min=1, help="Every so many steps a frame is kept.")]
Picture = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A PNG of energy and temperature. Default: beside the trajectory.")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of the velocities and the bath.")]
UseDtype = Annotated[
    Literal["float32", "float64"] | None, typer.Option("--dtype", help="To compute in. Default: as it was trained.")
]
