"""A network that answers with a sequence of nodes: shortest paths and Eulerian circuits.

    python examples/sequences.py [--examples 600] [--updates 1000] [--latent] [--seed 0]

Gated graph sequence networks (Li et al. 2016) on the two graph algorithms of the paper, on graphs drawn here.
Path: two nodes of a random graph are marked that have exactly one shortest path; say its nodes up to the second mark.
Circuit: one cycle, a connected graph whose nodes all have degree 2, stands beside a random graph that only distracts;
two neighbours on the cycle are marked; walk on from them round the cycle and back to the first.
The nodes that the question names first are not said again. An answer counts if every node is right and it stops where
it should; the questions asked in the end are about new graphs.

The annotations are what one output hands to the next. They are told in training ("observed", section 4 of the paper),
so that every output is an example of its own; --latent learns them from the answers alone, ten channels a node, as the
paper's experiments do, which takes far longer. States of 20 channels and 5 steps an output are the paper's.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
import torch
from torch import Tensor

import grapevine as gv
from grapevine.nn.ggs import GGSNN, sequence_loss

LONGEST = 10  # how many nodes an answer may have
STATES, LATENT, BATCH, RATE = 20, 10, 128, 0.01


@dataclass(frozen=True)
class Question:
    """A graph, the annotations at each output, the first of them the question, and the answer."""

    edges: Tensor
    annotations: list[Tensor]
    answer: list[int]


def ask_path(rng: np.random.Generator, num_nodes: int = 12, num_edges: int = 17) -> Question:
    """A path of 2 to 5 edges, as many of each length. Annotations: where we are, and where to."""
    length = rng.integers(2, 6)
    while True:
        graph = nx.gnm_random_graph(num_nodes, num_edges, seed=int(rng.integers(2**31)))
        start, goal = (int(k) for k in rng.choice(num_nodes, 2, replace=False))
        if nx.has_path(graph, start, goal) and nx.shortest_path_length(graph, start, goal) == length:
            paths = list(nx.all_shortest_paths(graph, start, goal))
            if len(paths) == 1:
                steps = [marks(num_nodes, at, goal) for at in paths[0]]
                return Question(both_ways(graph), steps, paths[0][1:])


def ask_circuit(rng: np.random.Generator, least: int = 5, most: int = 10) -> Question:
    """A cycle and a distractor of random sizes. Annotations: the node before, where we are, and the first one."""
    length, rest = (int(k) for k in rng.integers(least, most + 1, 2))
    distractor = nx.gnm_random_graph(rest, rest, seed=int(rng.integers(2**31)))
    names = [int(k) for k in rng.permutation(length + rest)]
    graph = nx.relabel_nodes(nx.disjoint_union(nx.cycle_graph(length), distractor), dict(enumerate(names)))
    circuit = [*names[:length], names[0]]
    steps = [marks(length + rest, before, at, circuit[0]) for before, at in pairwise(circuit)]
    return Question(both_ways(graph), steps, circuit[2:])


def marks(num_nodes: int, *marked: int) -> Tensor:
    """[n, k] a column for each of k nodes, 1 there and 0 elsewhere."""
    return torch.eye(num_nodes)[:, list(marked)]


def both_ways(graph: nx.Graph) -> Tensor:
    ends = torch.tensor(list(graph.edges)).T
    return torch.cat([ends, ends.flip(0)], 1)


def part(question: Question, k: int, width: int) -> gv.Graph:
    """What output k is asked: the graph, what is left of the answer, and the annotations that are to follow."""
    rows, left = question.annotations, question.answer[k:]
    target = torch.tensor([left + [-1] * (LONGEST - len(left))])
    x = torch.nn.functional.pad(rows[k], (0, width - rows[k].shape[1]))
    return gv.Graph(question.edges, x=x, node={"after": rows[min(k + 1, len(rows) - 1)]}, graph={"target": target})


def train(questions: Sequence[Question], rng: np.random.Generator, updates: int, latent: bool) -> GGSNN:
    """Adam, with a rate that falls as a cosine, on batches drawn anew."""
    width = LATENT if latent else questions[0].annotations[0].shape[1]
    counts = [1 if latent else len(question.annotations) for question in questions]
    parts = [part(question, k, width) for question, count in zip(questions, counts, strict=True) for k in range(count)]
    network = GGSNN(width, STATES)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: (1 + math.cos(math.pi * k / updates)) / 2)
    for _ in range(updates):
        batch = gv.Graph.batch([parts[k] for k in rng.permutation(len(parts))[:BATCH]])
        if latent:
            most = int((batch.target >= 0).sum(1).max()) + 1
            loss = sequence_loss(network(batch, most), batch, batch.target)
        else:
            loss = sequence_loss(network(batch, 1), batch, batch.target[:, :1], observed=[batch.after])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network


def accuracy(network: GGSNN, questions: Sequence[Question]) -> float:
    """The share of the answers that are right from the first node to the end."""
    batch = gv.Graph.batch([part(question, 0, network.encoder.in_channels) for question in questions])
    return (network.decode(batch, LONGEST) == batch.target).all(1).double().mean().item()


def main(options: argparse.Namespace) -> None:
    asks: dict[str, tuple[Callable[[np.random.Generator], Question], int, int]] = {
        "Eulerian circuit": (ask_circuit, 50, 150),
        "shortest path": (ask_path, 500, 700),
    }
    for name, (ask, examples, updates) in asks.items():
        examples, updates = options.examples or examples, options.updates or updates
        torch.manual_seed(options.seed)
        rng = np.random.default_rng(options.seed)
        known, new = [ask(rng) for _ in range(examples)], [ask(rng) for _ in range(500)]
        network = train(known, rng, updates, options.latent)
        print(f"{name}: {examples} examples, {updates} updates; whole answers right: ", end="")
        print(f"{accuracy(network, known):.1%} of those, {accuracy(network, new):.1%} of {len(new)} on new graphs")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, help="to learn from; 50 circuits and 500 paths by default")
    parser.add_argument("--updates", type=int, help="of the weights; 150 and 700 by default")
    parser.add_argument("--latent", action="store_true", help="learn the annotations too")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
