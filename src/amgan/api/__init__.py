"""The public Python interface; `amgan` itself offers its names."""
