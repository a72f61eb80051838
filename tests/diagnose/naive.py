"""The k-WL tests written out: every tuple's colour as what it is made of, ranked jointly for several graphs."""

from itertools import product

from grapevine.diagnose.labelled import Labelled


def ranked(values: list) -> list[int]:
    """Which of the distinct values each one is."""
    rank = {key: k for k, key in enumerate(sorted(set(map(repr, values))))}
    return [rank[repr(value)] for value in values]


def naive_tuples(graph: Labelled, k: int, *, folklore: bool) -> list[int]:
    """The colours of all k-tuples of every graph, in lexicographic order."""
    src, dst = graph.adj.edge_index.tolist()
    edges: dict[tuple[int, int], list[int]] = {}
    for j, i, label in zip(src, dst, graph.edge.tolist(), strict=True):
        edges[j, i] = sorted([*edges.get((j, i), []), label])
    tuples = [v for a, b in zip(graph.ptr, graph.ptr[1:], strict=False) for v in product(range(a, b), repeat=k)]
    nodes = {v: range(a, b) for a, b in zip(graph.ptr, graph.ptr[1:], strict=False) for v in range(a, b)}
    start = []
    for v in tuples:
        joined = [(a == b, edges.get((a, b))) for a, b in product(v, repeat=2)]
        start.append(([int(graph.node[a]) for a in v], joined))
    colors = ranked(start)
    while True:
        color = dict(zip(tuples, colors, strict=True))
        heard = []
        for v in tuples:
            put = [[color[*v[:i], w, *v[i + 1 :]] for i in range(k)] for w in nodes[v[0]]]
            seen = sorted(put) if folklore else [sorted(column) for column in zip(*put, strict=True)]
            heard.append((color[v], seen))
        finer = ranked(heard)
        if len(set(finer)) == len(set(colors)):
            return colors
        colors = finer
