"""Tasks: what is predicted, how wrong a prediction is, how good."""
