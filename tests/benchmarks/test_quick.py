"""The benchmarks run on a small graph, where both sides must agree before anything is timed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_quick_run_measures_everything():
    pytest.importorskip("torch_geometric", reason="the benchmarks compare with PyTorch Geometric")
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr
    told = run.stdout
    for title in ("Import", "spmm, sum", "spmm, weighted sum", "Operations", "Cora"):
        assert f"**{title}" in told
    for kind in ("GCN", "SAGE", "GIN", "GAT"):
        assert f"**{kind}, one epoch" in told
        assert f"**{kind}, peak memory" in told
    assert "**GCN on Cora" in told


def test_colors_are_those_of_networkx():
    from benchmarks.color_refinement import OURS, _beside, _large

    assert len(_beside(200, 1000, 1)) == 3
    assert _beside(30, 20, 1)[OURS] > 0  # most nodes are alike
    assert _large(100, 1000, 1)["classes"] == 100


def test_sides_that_disagree_are_not_timed():
    pytest.importorskip("torch_geometric", reason="the benchmarks compare with PyTorch Geometric")
    from benchmarks.training import check_equal

    check_equal("outputs", torch.tensor([1.0, 1000.0]), torch.tensor([1.05, 1000.0]))
    for wrong in (1.0002, float("nan")):
        with pytest.raises(RuntimeError, match="outputs differ by"):
            check_equal("outputs", torch.tensor([wrong]), torch.tensor([1.0]))
