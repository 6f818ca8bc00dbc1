"""Rendered garments: catalogues of any size whose every attribute can be changed exactly."""

from amgan.catalogue.studio.render import Garment, render_garment
from amgan.catalogue.studio.sampling import counterfactual, sample_garments
from amgan.catalogue.studio.schema import STUDIO_SCHEMA
from amgan.catalogue.studio.writing import load_garments, write_studio_catalogue

__all__ = [
    "STUDIO_SCHEMA",
    "Garment",
    "counterfactual",
    "load_garments",
    "render_garment",
    "sample_garments",
    "write_studio_catalogue",
]
