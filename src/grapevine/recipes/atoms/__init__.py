"""Interatomic potentials, from a file of structures to a model for ASE: how they are trained, judged and used."""
