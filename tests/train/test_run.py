"""A run folder comes back as it was, is never overwritten and never half there."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.train.run import Run, load_run, save_run

RUN = Run({"a.weight": torch.arange(6.0).view(2, 3).T, "a.bias": torch.ones(2)}, {"width": 2}, {"accuracy": 0.5})


def test_a_run_comes_back(tmp_path):
    folder = save_run(RUN, tmp_path / "deep" / "runs", "cora-gcn")
    assert folder == tmp_path / "deep" / "runs" / "cora-gcn"
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "metrics.json", "model.safetensors"]
    run = load_run(folder)
    assert (run.config, run.metrics) == (RUN.config, RUN.metrics)
    assert run.weights.keys() == RUN.weights.keys()
    assert all(torch.equal(run.weights[name], RUN.weights[name]) for name in RUN.weights)


def test_an_older_run_is_kept(tmp_path):
    folders = [save_run(RUN, tmp_path, "cora-gcn") for _ in range(3)]
    assert [folder.name for folder in folders] == ["cora-gcn", "cora-gcn-2", "cora-gcn-3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cora-gcn", "cora-gcn-2", "cora-gcn-3"]


def test_what_can_not_be_written_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        save_run(Run(RUN.weights, {"width": object()}, {}), tmp_path, "cora-gcn")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no run folder"):
        load_run(tmp_path / "absent")
    with pytest.raises(InputError, match="is not a whole run folder"):
        load_run(tmp_path)
    for file, content in (("config.json", "{"), ("model.safetensors", "none"), ("metrics.json", "")):
        folder = save_run(RUN, tmp_path, "broken")
        (folder / file).write_text(content)
        with pytest.raises(InputError, match="is not a whole run folder"):
            load_run(folder)
