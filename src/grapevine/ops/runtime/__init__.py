"""What every kernel stands on: vectors, row sharing, the allocator, random numbers."""
