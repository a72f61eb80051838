"""The command of a benchmark with several parts: run those that are named, print them, and keep their results."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.machine import environment, slug
from benchmarks.report import Result, keep, to_markdown
from benchmarks.timing import Scale

RESULTS = Path(__file__).with_name("results")


def run_named(
    module: str, about: str | None, parts: Mapping[str, Callable[[Scale], Result]], *, full: Scale, quick: Scale
) -> None:
    """`python -m benchmarks.MODULE [names] [--quick]`: all parts by default; a quick run keeps no results."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=about)
    parser.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(parts)}")
    parser.add_argument("--quick", action="store_true", help="small graphs, to see that all works; keeps no results")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(parts):
        parser.error(f"there is no {' or '.join(sorted(unknown))}; there are {', '.join(parts)}")
    scale = quick if arguments.quick else full
    here = environment(scale.threads)
    for name in arguments.names or parts:
        result = parts[name](scale)
        print(f"\n## {name}\n\n{to_markdown(result)}\n", flush=True)
        if not arguments.quick:
            keep(RESULTS / f"{module.replace('_', '-')}-{slug()}.json", list(parts), name, result, here)
