"""How long two Parquet files take to become a graph, and how much memory: python -m benchmarks.tables

A million nodes and ten million edges by default, under names that are strings, with numbers, categories and gaps. The
files are made in a temporary folder and read in a process of its own, so that its peak is that of the reading alone.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl

_MOST_SECONDS, _MOST_BYTES = 60, 8 * 10**9
_READ = "from benchmarks.tables import read; read({folder!r})"


def make(folder: Path, num_nodes: int, num_edges: int) -> None:
    """Write nodes.parquet and edges.parquet."""
    generator = np.random.default_rng(0)
    number = pl.Series(generator.permutation(num_nodes))
    names = pl.select(pl.concat_str(pl.lit("customer-"), pl.lit(number).cast(pl.String).str.zfill(9))).to_series()
    age = generator.normal(45, 15, num_nodes)
    age[::50] = np.nan
    towns = pl.Series([f"town {k}" for k in range(40)])
    nodes = {
        "id": names,
        "age": pl.Series(age).fill_nan(None),
        "town": towns[generator.integers(40, size=num_nodes)],
        "member": pl.Series(generator.random(num_nodes) < 0.3),
        "label": pl.Series(["red", "green", "blue"])[generator.integers(3, size=num_nodes)],
    }
    pl.DataFrame(nodes).write_parquet(folder / "nodes.parquet")
    edges = {
        "source": names[generator.integers(num_nodes, size=num_edges)],
        "target": names[generator.integers(num_nodes, size=num_edges)],
        "amount": generator.exponential(20, num_edges),
        "kind": pl.Series(["card", "cash"])[generator.integers(2, size=num_edges)],
    }
    pl.DataFrame(edges).write_parquet(folder / "edges.parquet")


def read(folder: str) -> None:
    """Read them and print what it took as JSON."""
    begin = perf_counter()
    from grapevine.data.tables import read_table, tables_to_graph

    imported = perf_counter()
    nodes = read_table(Path(folder) / "nodes.parquet")
    edges = read_table(Path(folder) / "edges.parquet")
    loaded = perf_counter()
    made = tables_to_graph(nodes, edges)
    done = perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = {"import": imported - begin, "read": loaded - imported, "graph": done - loaded}
    print(json.dumps({"seconds": seconds, "peak": peak, "graph": repr(made.graph), "counts": made.counts}))


def main() -> int:
    """Print time and peak; 1 if they are more than what is promised at full size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=10_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        maker = f"from pathlib import Path; from benchmarks.tables import make; make(Path({folder!r}), "
        subprocess.run([sys.executable, "-c", f"{maker}{options.nodes}, {options.edges})"], check=True)
        code = _READ.format(folder=folder)
        answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    result = json.loads(answer.stdout.splitlines()[-1])
    total = sum(result["seconds"].values())
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result["seconds"].items())
    print(f"{result['graph']}; {result['counts']}")
    print(f"{total:.1f} s ({parts}), at most {_MOST_SECONDS}; peak {result['peak'] / 1e9:.2f} GB, at most 8")
    return int(total > _MOST_SECONDS or result["peak"] > _MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
