"""Benchmarks against PyTorch Geometric at its best: `python -m benchmarks`, by `make bench`."""
