"""Parses long lists of texts in worker processes, a chunk at a time, in order, with few chunks in memory.

The workers are loky's: they need no guard in the user's script, and import NumPy and RDKit but not PyTorch.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from grapevine.data.molecules.parse import Parsed, ParseOptions, parse
from grapevine.errors import check

CHUNK = 1000  # texts that a worker is given at once
_FEW = 5000  # texts that are parsed sooner than workers start


def parse_chunks(
    chunks: Iterable[Sequence[str | None]], options: ParseOptions, *, workers: int | None = None
) -> Iterator[Parsed]:
    """What `parse` gives for each chunk, in order; chunks are asked for only as results are taken.

    Fewer than 5000 texts, or all of them with one worker, are parsed in this process.

    Args:
        workers: how many processes; by default as many as there are processors for this one.

    Raises:
        InputError: if workers is less than 1.

    >>> [parsed.packed.num_molecules for parsed in parse_chunks([["C", "CC"], ["N"]], ParseOptions(), workers=1)]
    [2, 1]
    """
    workers = num_processors() if workers is None else workers
    check(workers >= 1, f"workers must be 1 or more, got {workers}")
    return _parsed(iter(chunks), options, workers)


def _first(chunks: Iterator[Sequence[str | None]], texts: int) -> Iterator[Sequence[str | None]]:
    """The first chunks that hold so many texts together, or all there are."""
    while texts > 0 and (chunk := next(chunks, None)) is not None:
        texts -= len(chunk)
        yield chunk


def num_processors() -> int:
    """How many processors this process may use."""
    own = getattr(os, "sched_getaffinity", None)
    return len(own(0)) if own is not None else os.cpu_count() or 1


def _parsed(chunks: Iterator[Sequence[str | None]], options: ParseOptions, workers: int) -> Iterator[Parsed]:
    first = list(_first(chunks, _FEW))
    is_short = sum(map(len, first)) < _FEW
    chunks = chain(first, chunks)
    if workers == 1 or is_short:
        yield from (parse(chunk, options) for chunk in chunks)
        return
    from joblib.externals.loky import get_reusable_executor  # slow to import, and seldom needed

    pool = get_reusable_executor(max_workers=workers)
    waiting = deque()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(parse, chunk, options))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
