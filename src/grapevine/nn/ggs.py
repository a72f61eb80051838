"""Gated graph sequence network: a graph says one node after another (Li et al. 2016).

output k:  h = GGNN(X_k),  p(i) = softmax over the graph's nodes i, and its end, of f(h_i, x_i),
and the next annotations  x_i = sigmoid(j(h_i, x_i))

The annotations X are all that one output hands to the next. They are learnt from the outputs alone (latent), by
gradients through the whole sequence, or told in training (observed): then every output is a task of its own. Y. Li, D.
Tarlow, M. Brockschmidt and R. Zemel, "Gated graph sequence neural networks", ICLR 2016, section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.nn.aggregation.attention import AttentionSum
from grapevine.nn.encoder.ggnn import GGNN
from grapevine.nn.mlp import MLP
from grapevine.nn.readout import Readout
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce


@dataclass(frozen=True)
class Output:
    """One place of the sequence: the scores of every node and of the end, and the logits of the next annotations."""

    score: Float[Tensor, " n"]
    end: Float[Tensor, " g"]
    annotation: Float[Tensor, "n c"]


class GGSNN(nn.Module):
    """Gated graph sequence network whose outputs are nodes of the graph (Li et al. 2016).

    The end of a sequence is one choice more beside the nodes, scored by an attention over them, which, unlike a sum,
    does not grow with the graph. The paper's authors put an isolated node into each graph instead.

    Args:
        in_channels: width of the annotations, the graph's x, numbers between 0 and 1.
        hidden_channels: width of the states.
        num_steps: how often the states are updated for an output.
        edge_channels: the number of types of edges, as of `GGNN`.
        shared: one gated graph network for the outputs and the annotations, as in the paper's experiments with
            sequences, or one for each.

    >>> graph = Graph([[0, 1], [1, 0]], x=torch.eye(2))
    >>> network = GGSNN(2, 8)
    >>> [output.score.shape for output in network(graph, 3)]
    [torch.Size([2]), torch.Size([2]), torch.Size([2])]
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        *,
        num_steps: int = 5,
        edge_channels: int | None = None,
        shared: bool = True,
    ):
        super().__init__()

        def encoder() -> GGNN:
            return GGNN(in_channels, hidden_channels, num_steps=num_steps, edge_channels=edge_channels)

        self.encoder, self.annotation_encoder = encoder(), None if shared else encoder()
        width = hidden_channels + in_channels
        self.select = MLP([width, hidden_channels, 1], activation="tanh")
        self.readout = Readout(AttentionSum(width, hidden_channels))
        self.end = MLP([hidden_channels, hidden_channels, 1], activation="tanh")
        self.annotate = MLP([width, hidden_channels, in_channels], activation="tanh")

    def forward(
        self,
        graph: Graph,
        num_outputs: int,
        edge: Tensor | None = None,
        *,
        observed: Sequence[Float[Tensor, "n c"]] | None = None,
    ) -> list[Output]:
        """The first outputs of each graph of a batch.

        Args:
            graph: with the first annotations as its x.
            num_outputs: how many.
            edge: the types of the edges, as of `GGNN`.
            observed: the annotations of the second output, the third and so on, to be taken in place of its own.
        """
        check(isinstance(graph, Graph), f"GGSNN is called with a Graph, got {type(graph).__name__}")
        check(num_outputs > 0, f"num_outputs must be positive, got {num_outputs}")
        enough = observed is None or len(observed) >= num_outputs - 1
        check(enough, f"{num_outputs} outputs need {num_outputs - 1} observed annotations beside the graph's x")
        x, outputs = graph.x, []
        for k in range(num_outputs):
            outputs.append(self.output(x, graph, edge))
            if k + 1 < num_outputs:
                x = outputs[-1].annotation.sigmoid() if observed is None else observed[k]
        return outputs

    def output(self, x: Float[Tensor, "n c"], graph: Graph, edge: Tensor | None = None) -> Output:
        """One output, from its annotations."""
        told = torch.cat([self.encoder(x, graph, edge), x], 1)
        score, end = self.select(told).squeeze(1), self.end(self.readout(told, graph)).squeeze(1)
        if self.annotation_encoder is not None:
            told = torch.cat([self.annotation_encoder(x, graph, edge), x], 1)
        return Output(score, end, self.annotate(told))

    @torch.no_grad()
    def decode(self, graph: Graph, most: int, edge: Tensor | None = None) -> Int[Tensor, "g most"]:
        """The likeliest node at each place, numbered within its graph, and -1 from the end of the sequence on.

        >>> GGSNN(2, 8).decode(Graph([[0], [0]], x=torch.ones(1, 2)), most=4).shape
        torch.Size([1, 4])
        """
        said = torch.full((graph.num_graphs, most), -1, device=graph.device)
        goes_on = torch.ones(graph.num_graphs, dtype=torch.bool, device=graph.device)
        x = graph.x
        for k in range(most):
            output = self.output(x, graph, edge)
            best, node = _best(output.score, graph)
            goes_on = goes_on & (best > output.end) & (graph.ptr.diff() > 0)
            if not bool(goes_on.any()):
                break
            said[:, k] = torch.where(goes_on, node, -1)
            x = output.annotation.sigmoid()
        return said


def sequence_loss(
    outputs: Sequence[Output],
    graph: Graph,
    target: Int[Tensor, "g k"],
    *,
    observed: Sequence[Float[Tensor, "n c"]] | None = None,
) -> Float[Tensor, ""]:
    """The mean over the graphs of the negative log-likelihood of their sequences, each with its end.

    Args:
        outputs: what the network gave, one more than the longest sequence is long if its end is to count.
        graph: the batch.
        target: the nodes of each sequence, numbered within the graph, and -1 from its end on.
        observed: the annotations of the second output, the third and so on: the binary cross-entropies of those that
            were predicted are added, summed over the nodes and channels of a graph.

    >>> network, graph = GGSNN(1, 4), Graph([[0], [1]], x=torch.ones(2, 1))
    >>> sequence_loss(network(graph, 3), graph, torch.tensor([[0, 1]])).ndim
    0
    """
    check_tensor("target", target, ndim=2, dtypes=(torch.int64,))
    check_rows("target", target, graph.num_graphs, "graphs")
    ends = nn.functional.pad(target, (0, 1), value=-1)
    size = graph.ptr.diff().unsqueeze(1)
    if not bool((ends < size).all()):
        raise InputError("target must number the nodes within each graph, from 0 on; one is larger than its graph")
    total = target.new_zeros((), dtype=outputs[0].score.dtype)
    counts = torch.ones(graph.num_graphs, dtype=torch.bool, device=graph.device)
    for output, node in zip(outputs, ends.unbind(1), strict=False):
        is_end = node < 0
        log_all = torch.logaddexp(segment_reduce(graph.members, output.score, reduce="logsumexp"), output.end)
        score = nn.functional.pad(output.score, (0, 1))  # a last row, for graphs without nodes
        chosen = torch.where(is_end, output.end, score[torch.where(is_end, -1, graph.ptr[:-1] + node)])
        total = total + torch.where(counts, log_all - chosen, 0).sum()
        counts = counts & ~is_end
    num_graphs = max(graph.num_graphs, 1)
    total = total / num_graphs
    for output, annotation in zip(outputs, observed or (), strict=False):
        check_rows("observed", annotation, graph.num_nodes, "nodes")
        logit = output.annotation
        total = total + nn.functional.binary_cross_entropy_with_logits(logit, annotation, reduction="sum") / num_graphs
    return total


def _best(score: Float[Tensor, " n"], graph: Graph) -> tuple[Float[Tensor, " g"], Int[Tensor, " g"]]:
    """The greatest score of each graph, and the first node that has it, numbered within its graph."""
    best = segment_reduce(graph.members, score.unsqueeze(1), reduce="max").squeeze(1)
    is_best = score == gather(graph.members, best, side="rows")
    places = torch.arange(graph.num_nodes, device=score.device) - graph.ptr[:-1][graph.graph_id]
    node = torch.full((graph.num_graphs,), graph.num_nodes, device=score.device)
    return best, node.scatter_reduce(0, graph.graph_id[is_best], places[is_best], "amin")
