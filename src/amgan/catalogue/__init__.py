"""Catalogues: items in memory, readers for tables and datasets, rendered garments."""
