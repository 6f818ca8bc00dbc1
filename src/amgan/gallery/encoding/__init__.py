"""Pictures to vectors: in blocks, by threads, processes or Ray."""
