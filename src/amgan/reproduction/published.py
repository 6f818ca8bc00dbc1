"""Figures printed in the AMGAN paper, to stand beside measured ones.

X. Yang, X. Song, X. Han, H. Wen, J. Nie, L. Nie: Generative Attribute Manipulation Scheme for
Flexible Fashion Search, SIGIR 2020, https://doi.org/10.1145/3397271.3401150. Table 3 (gallery: all
tops of the dataset; reported for one split, with one- and two-attribute queries together) and
Table 4 (four TITAN X, gallery of 50,000). The bars of Figures 4 and 5 are not printed as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CITATION = (
    "Yang et al., Generative Attribute Manipulation Scheme for Flexible Fashion Search, SIGIR 2020"
)
TABLE_3_METRICS = ("top@1", "top@10", "ndcg@10", "mrr@1000")
Dataset = Literal["Shopping100K", "DARN"]

_TABLE_3: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "AMGAN-P-NoVSE": ((0.1609, 0.4717, 0.7567, 0.2417), (0.0857, 0.2967, 0.7078, 0.1486)),
    "AMGAN-P-NoL1": ((0.1652, 0.472, 0.7551, 0.2324), (0.0875, 0.2998, 0.7067, 0.1603)),
    "AMGAN-P-NoCls": ((0.0649, 0.2824, 0.6693, 0.1008), (0.0144, 0.1175, 0.5856, 0.0324)),
    "AMGAN-P": ((0.1873, 0.4805, 0.7715, 0.2624), (0.0978, 0.3051, 0.7167, 0.1678)),
    "AMGAN-T-NoVSE": ((0.1390, 0.4476, 0.7222, 0.2015), (0.0681, 0.3141, 0.6681, 0.1230)),
    "AMGAN-T-NoL1": ((0.1368, 0.4317, 0.7154, 0.2001), (0.0690, 0.3172, 0.6692, 0.1231)),
    "AMGAN-T-NoCls": ((0.0714, 0.3053, 0.6565, 0.1275), (0.0164, 0.1219, 0.5805, 0.0559)),
    "AMGAN-T": ((0.1582, 0.4811, 0.7384, 0.2351), (0.1051, 0.3876, 0.7004, 0.1505)),
}


def published_metrics(row: str, dataset: Dataset) -> dict[str, float] | None:
    """Table 3's numbers for a row by metric, None where the paper prints none."""
    if row not in _TABLE_3:
        return None
    return dict(
        zip(TABLE_3_METRICS, _TABLE_3[row][0 if dataset == "Shopping100K" else 1], strict=True)
    )


@dataclass(frozen=True)
class PublishedTime:
    """A row of Table 4: seconds a query, and the length of a representation."""

    dimensions: int
    representation: float
    search: float
    total: float


_AMGAN_TIME = PublishedTime(512, 0.042, 0.149, 0.191)
TABLE_4: dict[str, PublishedTime] = {
    "FCD": PublishedTime(512, 0.180, 0.153, 0.333),
    "AMNet": PublishedTime(4096, 0.019, 0.928, 0.947),
    "FSN": PublishedTime(4096, 0.139, 0.940, 1.079),
    "AMGAN-P": _AMGAN_TIME,
    "AMGAN-T": _AMGAN_TIME,
    # "As AMGAN-P(T) and cGAN-P(T) have the same computation complexity, we only provided the time
    # cost of AMGAN-P(T)" (section 4.5).
    "cGAN-P": _AMGAN_TIME,
    "cGAN-T": _AMGAN_TIME,
}


@dataclass(frozen=True)
class Claim:
    """An order that the paper reports: `better` above `worse`, and where it says so."""

    better: str
    worse: str
    place: str


CLAIMS: tuple[Claim, ...] = (
    *(
        Claim(ours, other, "Figure 4, observation 1")
        for ours in ("AMGAN-P", "AMGAN-T")
        for other in ("FCD", "AMNet", "FSN")
    ),
    Claim("AMGAN-P", "cGAN-P", "Figure 4, observation 2"),
    Claim("AMGAN-T", "cGAN-T", "Figure 4, observation 2"),
    *(
        Claim(other, "FCD", "Figure 4, observation 3")
        for other in ("AMNet", "FSN", "cGAN-P", "cGAN-T")
    ),
    *(
        Claim(f"AMGAN-{scheme}", f"AMGAN-{scheme}-{without}", "Table 3")
        for scheme in "PT"
        for without in ("NoVSE", "NoL1", "NoCls")
    ),
    *(
        Claim(f"AMGAN-{scheme}-{other}", f"AMGAN-{scheme}-NoCls", "Table 3, section 4.3")
        for scheme in "PT"
        for other in ("NoVSE", "NoL1")
    ),
)
