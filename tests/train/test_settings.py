"""Settings refuse what makes no sense, and come back from JSON."""

import pytest
from pydantic import ValidationError

from grapevine.train.settings import Settings, default_clip_norm


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0}, {"max_epochs": 0}, {"patience": -1}, {"momentum": 1}, {"ema": 1.0}, {"clip_norm": 0},
        {"optimizer": "adagrad"}, {"precision": "8"}, {"plateau_factor": 1}, {"depth": 3},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_settings_come_back_from_json():
    settings = Settings(schedule="cosine", warmup_epochs=3, clip_norm=default_clip_norm("graph"), ema=0.99)
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
