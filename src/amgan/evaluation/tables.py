"""Metric names as people write them, and Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

SHOWN = (
    "top@1",
    "top@10",
    "item@10",
    "ndcg@10",
    "ndcg_t@10",
    "ndcg_o@10",
    "mrr@1000",
    "wanted@10",
    "kept@10",
)
PICTURE_SHOWN = (
    "variant@1",
    "variant@10",
    "variant_pairs@1",
    "variant_pairs@10",
    "self@1",
    "self@10",
    "overlap@12",
)
_TITLES = {
    "top": ("Top-{k}", "some item of the first {k} has every label of the target"),
    "item": ("Item-{k}", "the ground-truth item is among the first {k}"),
    "ndcg": ("NDCG@{k}", "gain 2^rel - 1, rel the share of attributes that match, ideal 1"),
    "ndcg_t": ("NDCG-t@{k}", "NDCG over the changed attributes"),
    "ndcg_o": ("NDCG-o@{k}", "NDCG over the other attributes"),
    "mrr": ("MRR@{k}", "reciprocal rank of the ground-truth item, 0 past {k}"),
    "mrr_label": ("MRR-l@{k}", "reciprocal rank of the first item with every label, 0 past {k}"),
    "wanted": ("Wanted@{k}", "share of changed attributes right in the first {k}"),
    "kept": ("Kept@{k}", "share of the other attributes right in the first {k}"),
    "variant": (
        "Variant@{k}",
        "the reference's product in the wanted value is among the first {k}; "
        "mean of each product's pairs, then over products",
    ),
    "variant_pairs": ("Variant@{k}, pairs", "the same, plain mean over pairs"),
    "self": (
        "Self@{k}",
        "an item's own picture, cropped, brightened or darkened and compressed again, nothing "
        "asked, finds the item among the first {k}",
    ),
    "overlap": (
        "Overlap@{k}",
        "share of their first {k} that two references with equal labels have in common when the "
        "same is asked of both; lower is better, at 1 the picture is ignored",
    ),
    "l1": ("L1", "mean absolute difference from the true picture, 0 to 1, lower is better"),
    "ssim": ("SSIM", "structural similarity to the true picture"),
    "judged": ("Judged", "share of the target's values that a separate judge sees"),
    "judged_wanted": ("Judged wanted", "the same over the changed attributes"),
    "judged_kept": ("Judged kept", "the same over the other attributes"),
}


def metric_title(metric: str) -> str:
    """Heading of a metric's column: `ndcg_o@10` is NDCG-o@10; other names stay as they are."""
    kind, _, k = metric.partition("@")
    return _TITLES[kind][0].format(k=k) if kind in _TITLES else metric


def metric_definition(metric: str) -> str | None:
    """A metric in a few words, None where it is not one of ours."""
    kind, _, k = metric.partition("@")
    if kind not in _TITLES:
        return None
    if metric == "top@1":
        return "the first item has every label of the target"
    return _TITLES[kind][1].format(k=k)


def format_number(value: float) -> str:
    """Four digits without a leading zero, such as .1234; a dash for NaN."""
    if math.isnan(value):
        return "–"
    text = f"{value:.4f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown table, aligned in plain text too; the first column left, the others right."""
    table = [[cell.replace("|", r"\|") for cell in row] for row in (headings, *rows)]
    widths = [max(3, *(len(row[i]) for row in table)) for i in range(len(headings))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return "\n".join(lines)
