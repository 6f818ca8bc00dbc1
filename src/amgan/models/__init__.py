"""Networks: shared blocks, the generator, the encoder, and one file a peer's own network."""
