"""Networks that keep more than the states of nodes between their steps, one paper a file."""

from grapevine.nn.encoder.encoder import Encoder

__all__ = ["Encoder"]
