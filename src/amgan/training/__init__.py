"""Training: the one loop, its data, checkpoints and run folder."""
