"""What a node can be told of its place in the graph."""
