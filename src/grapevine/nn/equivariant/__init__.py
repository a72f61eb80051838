"""Networks of atoms in space, and the mathematics of rotations they are made of."""
