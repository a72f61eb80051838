"""Ways to bring the messages of a neighbourhood, or the states of a graph's nodes, together."""

from grapevine.nn.aggregation.attention import AttentionSum, GatedSum
from grapevine.nn.aggregation.basic import LSTM, Aggregation, Max, Mean, Min, Sum
from grapevine.nn.aggregation.deep_sets import DeepSets
from grapevine.nn.aggregation.set2set import Set2Set
from grapevine.nn.aggregation.set_transformer import SetTransformer
from grapevine.nn.aggregation.sort import SortPool
from grapevine.nn.aggregation.std import Std, Var

__all__ = [
    "LSTM",
    "Aggregation",
    "AttentionSum",
    "DeepSets",
    "GatedSum",
    "Max",
    "Mean",
    "Min",
    "Set2Set",
    "SetTransformer",
    "SortPool",
    "Std",
    "Sum",
    "Var",
]
