"""Peak memory of a training epoch of four networks, against PyTorch Geometric in three forms of its graph.

Beyond the graph and the features, which both sides have before the clock runs; ours keeps memory, as its training loop
does, theirs has the allocator as it comes.
"""

from collections.abc import Mapping

from benchmarks import models, peers
from benchmarks.epochs import trainer
from benchmarks.graphs import arxiv_shaped
from benchmarks.models import Kind
from benchmarks.race import OURS
from benchmarks.report import Claim, Result, Table, skipped
from benchmarks.timing import CAN_MEASURE_MEMORY, Scale, peak_growth
from grapevine.ops.runtime.allocator import keep_memory

_LEANER = 3.0
_FORMS = ("torch CSR", peers.DEFAULT)  # the leanest of theirs, and the one that users meet


def run(scale: Scale) -> Result:
    """All four networks."""
    if not CAN_MEASURE_MEMORY:
        return skipped("Peak memory", "this system keeps no peak of a process's memory that can be set back")
    tables, claims = [], []
    for kind in models.KINDS:
        growth = {form: scale.fresh(peak, kind, form, scale) for form in (OURS, *_FORMS)}
        tables.append(_table(kind, growth))
        for form in _FORMS:
            claims.append(Claim(f"{kind} memory: leaner than {form}", growth[form] / growth[OURS], _LEANER))
    return Result(tables, claims)


def peak(kind: Kind, form: str, scale: Scale) -> int:
    """Bytes by which memory grows over two epochs; ours keeps it, as its training loop does.

    An epoch on a small graph comes first: what is loaded on first use is no matter of the graph.
    """
    if form == OURS:
        keep_memory()
    small, large = (trainer(kind, form, arxiv_shaped(share)) for share in (0.001, scale.share))
    small.epoch()
    return peak_growth(lambda: (large.epoch(), large.epoch()))


def _table(kind: Kind, growth: Mapping[str, int]) -> Table:
    title = f"{kind}, peak memory over two epochs, beyond graph and features"
    rows = [[form, size / 1e6, size / growth[OURS]] for form, size in growth.items()]
    return Table(title, ["", "MB", f"times {OURS}'s"], rows)
