"""Trains a small network with checkpoints and tells each epoch: the program that a test kills again and again.

python -m tests.train.interrupted CHECKPOINTS EPOCHS PAUSE
"""

import sys
import time
from pathlib import Path

from safetensors.torch import save_file

from grapevine.train.loop import fit
from grapevine.train.settings import Settings
from tests.train.cases import Nodes, plain, two_classes


def settings(epochs: int) -> Settings:
    """With everything that has a state: average, schedule, momentum, batches that are drawn, dropout."""
    return Settings(
        max_epochs=epochs, patience=epochs, learning_rate=0.02, ema=0.9, schedule="plateau", plateau_patience=3,
        warmup_epochs=4, monitor_every=7, checkpoint_every=1, checkpoint_unit="epochs",
    )  # fmt: skip


def train(folder: Path | None, epochs: int, pause: float = 0.0):
    """The model and what training came to."""
    model = plain(dropout=0.3)

    def report(epoch):
        print(epoch.number, flush=True)
        time.sleep(pause)

    done = fit(model, Nodes(two_classes(), size=5), settings(epochs), checkpoints=folder, on_epoch=report)
    return model, done


if __name__ == "__main__":
    where = Path(sys.argv[1])
    trained, _ = train(where, int(sys.argv[2]), float(sys.argv[3]))
    save_file(dict(trained.state_dict()), where / "done.safetensors")
