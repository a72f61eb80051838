"""Training: the loop, and the folder a trained model is kept in."""
