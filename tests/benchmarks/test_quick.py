"""The benchmarks run on a small graph, where both sides must agree before anything is timed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def test_quick_run_measures_everything():
    pytest.importorskip("torch_geometric", reason="the benchmarks compare with PyTorch Geometric")
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr
    for title in ("Import", "spmm, sum", "spmm, weighted sum", "Operations", "Cora"):
        assert f"**{title}" in run.stdout
    for kind in ("GCN", "SAGE", "GIN", "GAT"):
        assert f"**{kind}, one epoch" in run.stdout
        assert f"**{kind}, peak memory" in run.stdout
    assert "**GCN on Cora" in run.stdout


def test_sides_that_disagree_are_not_timed():
    pytest.importorskip("torch_geometric", reason="the benchmarks compare with PyTorch Geometric")
    from benchmarks.training import check_equal

    check_equal("outputs", torch.tensor([1.0, 1000.0]), torch.tensor([1.05, 1000.0]))
    for wrong in (1.0002, float("nan")):
        with pytest.raises(RuntimeError, match="outputs differ by"):
            check_equal("outputs", torch.tensor([wrong]), torch.tensor([1.0]))
