"""Trains a small network on two processes of this machine and keeps what each of them has in the end.

python -m tests.train.shared FOLDER
"""

import os
import sys
from pathlib import Path

from safetensors.torch import save_file

from grapevine.train.loop import fit
from grapevine.train.settings import Settings
from tests.train.cases import Nodes, plain, two_classes

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    model = plain(dropout=0.0)
    settings = Settings(max_epochs=6, optimizer="sgd", devices=2, accelerator="cpu")
    fit(model, Nodes(two_classes(), size=3), settings, checkpoints=folder / "checkpoints")
    save_file(dict(model.state_dict()), folder / f"{os.environ.get('LOCAL_RANK', '0')}.safetensors")
