"""Molecules: parsed once into flat arrays of small integers, from which every set of features is made."""
