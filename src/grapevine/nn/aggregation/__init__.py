"""Ways to bring the messages of a neighbourhood, or the states of a graph's nodes, together."""

from grapevine.nn.aggregation.basic import LSTM, Aggregation, Max, Mean, Min, Sum

__all__ = ["LSTM", "Aggregation", "Max", "Mean", "Min", "Sum"]
