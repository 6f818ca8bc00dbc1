"""Whether the picture counts, as a section of a report and in sentences."""

from __future__ import annotations

from amgan.evaluation.picture_measures import PictureMeasures
from amgan.evaluation.tables import (
    PICTURE_SHOWN,
    format_number,
    format_table,
    metric_definition,
    metric_title,
)
from amgan.queries.picture_queries import LEAST_ITEMS, OVERLAP_DEPTH
from amgan.text import counted

# Worse than either, and results are mostly those of the labels, whatever picture was given.
LEAST_SELF = 0.5
MOST_OVERLAP = 0.75


def picture_to_markdown(measures: PictureMeasures) -> str:
    """A table of the measures, how much was drawn of what there is, and what each measures."""
    rows = []
    for name in PICTURE_SHOWN:
        kind = name.partition("@")[0].removesuffix("_pairs")
        rows.append(
            [metric_title(name), format_number(measures.means[name]), f"{measures.asked[kind]:,}"]
        )
    asked, available = measures.asked, measures.available
    notes = [
        f"Drawn with seed {measures.seed}, the references' labels not told: "
        f"{asked['variant']:,} of {counted(available['variant'], 'pair')} of one product, from "
        f"{counted(measures.products, 'product')}; {asked['self']:,} of "
        f"{counted(available['self'], 'item')} by their own pictures; "
        f"{counted(asked['overlap'], 'pair')} of references, from "
        f"{counted(available['overlap'], 'item')} that share all labels with another and can be "
        f"asked for a value of {LEAST_ITEMS} items or more."
    ]
    if measures.unreadable:
        notes.append(
            f"{counted(measures.unreadable, 'item')} drawn for Self could not be asked: the "
            "picture files cannot be read."
        )
    notes += [f"{metric_title(name)}: {metric_definition(name)}." for name in PICTURE_SHOWN]
    table = format_table(["Measure", "Value", "Queries"], rows)
    return table + "\n\n" + "\n".join(f"- {note}" for note in notes)


def describe_picture(measures: PictureMeasures) -> list[str]:
    """One sentence for each measure that is defined."""
    means, sentences = measures.means, []
    if measures.asked["self"]:
        sentences.append(
            f"searched with its own picture, cropped, brightened or darkened and compressed again, "
            f"an item is first in its results for {means['self@1']:.0%} of "
            f"{counted(measures.asked['self'], 'item')}, among the first 10 for "
            f"{means['self@10']:.0%}"
        )
    if measures.asked["variant"]:
        sentences.append(
            f"asked for another value that its product comes in, that very product is first for "
            f"{means['variant@1']:.0%} and among the first 10 for {means['variant@10']:.0%} "
            f"({counted(measures.asked['variant'], 'pair')} of "
            f"{counted(measures.products, 'product')})"
        )
    if measures.asked["overlap"]:
        shared = means[f"overlap@{OVERLAP_DEPTH}"] * OVERLAP_DEPTH
        sentences.append(
            f"two items with equal labels that are asked for the same change share {shared:.1f} of "
            f"their first {OVERLAP_DEPTH} results ({counted(measures.asked['overlap'], 'pair')}; "
            f"{OVERLAP_DEPTH} would mean that only labels count)"
        )
    return sentences


def warn_of_picture(measures: PictureMeasures) -> str | None:
    """What to say where the picture hardly counts, None where it does or nothing was measured."""
    means = measures.means
    lost = means["self@1"] < LEAST_SELF  # a measure that is not defined is no reason
    alike = means[f"overlap@{OVERLAP_DEPTH}"] > MOST_OVERLAP
    if not lost and not alike:
        return None
    reasons = ["its own picture mostly does not find an item"] if lost else []
    reasons += ["items that look different get the same results"] if alike else []
    return f"warning: the picture hardly counts in this ranking: {' and '.join(reasons)}"
