"""Data sets and readers: from files to graphs."""
