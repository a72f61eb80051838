"""Parses long lists of texts in worker processes, a chunk at a time, in order, with few chunks in memory.

The workers are loky's: they need no guard in the user's script, and import NumPy and RDKit but not PyTorch.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain, islice
from typing import Any

from grapevine.data.molecules.parse import Parsed, ParseOptions, ReadTexts, parse, read_texts
from grapevine.errors import check

CHUNK = 1000  # texts that a worker is given at once
_FEW = 5000  # texts that are parsed sooner than workers start
_NICE = 5
_AHEAD = 16  # chunks that workers have parsed or are at, while nobody takes them


def parse_chunks(
    chunks: Iterable[Sequence[str | None]], options: ParseOptions, *, workers: int | None = None
) -> Iterator[Parsed]:
    """What `parse` gives for each chunk, in order; workers begin at once, and are few chunks ahead of what is taken.

    Fewer than 5000 texts, or all of them with one worker, are parsed in this process, as they are taken.

    Args:
        workers: how many processes; by default as many as there are processors for this one.

    Raises:
        InputError: if workers is less than 1.

    >>> [parsed.packed.num_molecules for parsed in parse_chunks([["C", "CC"], ["N"]], ParseOptions(), workers=1)]
    [2, 1]
    """
    workers = num_processors() if workers is None else workers
    check(workers >= 1, f"workers must be 1 or more, got {workers}")
    chunks = iter(chunks)
    first = list(_first(chunks, _FEW))
    if workers == 1 or sum(map(len, first)) < _FEW:
        return (parse(chunk, options) for chunk in chain(first, chunks))
    from joblib.externals.loky import get_reusable_executor  # slow to import, and seldom needed

    pool = get_reusable_executor(max_workers=workers, initializer=_give_way)
    submitted = (pool.submit(read_texts, chunk, options) for chunk in chain(first, chunks))
    return _in_order(submitted, deque(islice(submitted, _AHEAD)), pool)


def num_processors() -> int:
    """How many processors this process may use."""
    own = getattr(os, "sched_getaffinity", None)
    return len(own(0)) if own is not None else os.cpu_count() or 1


def _first(chunks: Iterator[Sequence[str | None]], texts: int) -> Iterator[Sequence[str | None]]:
    """The first chunks that hold so many texts together, or all there are."""
    while texts > 0 and (chunk := next(chunks, None)) is not None:
        texts -= len(chunk)
        yield chunk


def _in_order(submitted: Iterator[Future[ReadTexts]], waiting: deque[Future[ReadTexts]], pool: Any) -> Iterator[Parsed]:
    """Each result that is taken lets one chunk more begin; after the last one the workers' memory is given back."""
    try:
        while waiting:
            read = waiting.popleft().result()
            waiting.extend(islice(submitted, 1))
            yield read.parsed()
    finally:
        pool.shutdown(wait=False)


def _give_way() -> None:
    """Let the process that waits for the results, and mostly does something meanwhile, have the processor first."""
    os.nice(_NICE)
