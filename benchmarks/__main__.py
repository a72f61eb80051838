"""`python -m benchmarks [names] [--quick]`: measures, prints tables, and keeps them in benchmarks/results.

The results of a machine are one JSON file, and the same as Markdown; a benchmark that is run anew replaces its own.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from benchmarks import command, cora, edge_network, epochs, imports, kernels, memory, spmm
from benchmarks.machine import environment, slug
from benchmarks.report import Result, keep, to_markdown
from benchmarks.timing import Scale

BENCHMARKS: dict[str, Callable[[Scale], Result]] = {
    "imports": imports.run,
    "spmm": spmm.run,
    "kernels": kernels.run,
    "epochs": epochs.run,
    "memory": memory.run,
    "cora": cora.run,
    "command": command.run,
    "edge_network": edge_network.run,
}
RESULTS = Path(__file__).with_name("results")
FULL = Scale(share=1.0, long_rounds=3, short_rounds=5, threads=2)
QUICK = Scale(share=0.01, long_rounds=1, short_rounds=1, threads=1)


def main() -> None:
    """Run the benchmarks that are named, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="a small graph, to see that all runs; keeps no results")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    scale = QUICK if arguments.quick else FULL
    here = environment(scale.threads)
    print("\n".join(f"{key}: {value}" for key, value in here.items()))
    for name in arguments.names or BENCHMARKS:
        begin = perf_counter()
        result = BENCHMARKS[name](scale)
        result = replace(result, claims=[]) if arguments.quick else result  # they are about the full size
        print(f"\n## {name}\n\n{to_markdown(result)}\n\n({perf_counter() - begin:.0f} s)", flush=True)
        if not arguments.quick:
            keep(RESULTS / f"{slug()}.json", list(BENCHMARKS), name, result, here)


if __name__ == "__main__":
    main()
