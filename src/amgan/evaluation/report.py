"""What an evaluation found: means by group, with everything needed to repeat it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from amgan.errors import FileFormatError, InputError
from amgan.evaluation.metrics import mean_of_defined
from amgan.evaluation.per_query import PerQueryResults, load_per_query, save_per_query
from amgan.evaluation.picture_measures import PictureMeasures
from amgan.evaluation.picture_words import picture_to_markdown
from amgan.evaluation.provenance import commit_id, machine_description
from amgan.evaluation.tables import (
    SHOWN,
    format_number,
    format_table,
    metric_definition,
    metric_title,
)
from amgan.files import write_text

__all__ = [
    "PROTOCOLS",
    "RANKINGS",
    "EvaluationReport",
    "GroupMeans",
    "Protocol",
    "Ranking",
    "build_report",
    "commit_id",
    "comparison_to_markdown",
    "load_per_query",
    "load_report",
    "machine_description",
    "save_per_query",
    "save_report",
]

Protocol = Literal["paper", "unseen"]
Ranking = Literal["pure", "fused"]
PROTOCOLS: Mapping[str, str] = {
    "paper": "the gallery is the whole catalogue, items of training included",
    "unseen": "the gallery is the items of the tested split only",
}
RANKINGS: Mapping[str, str] = {
    "pure": "by the method's own metric",
    "fused": "by the distance and the attributes that the classifiers see, in one score",
}
_FUSED_NAME = " fused"  # behind the method in reports written before they had a ranking


@dataclass(frozen=True)
class GroupMeans:
    """Means over one group of queries.

    Attributes:
        n: number of queries.
        means: mean of each metric over the queries for which it is defined, NaN without any.
        defined: number of such queries, for the metrics where it is less than n.
    """

    n: int
    means: Mapping[str, float]
    defined: Mapping[str, int]


@dataclass(frozen=True)
class EvaluationReport:
    """One method on one set of triplets.

    Attributes:
        method: name as in tables.
        ranking: "pure" or "fused", see `RANKINGS`.
        protocol: "paper" or "unseen", see `PROTOCOLS`.
        catalogue: its name.
        split: the split that was tested.
        triplet_digest: `Triplets.digest` of the triplets that were tested.
        seed: of the training.
        commit: of the source, None where not known.
        machine: what it ran on.
        gallery_size: items ranked; the reference stays out of its own list.
        num_queries: Q.
        groups: means of each group of `PerQueryResults.groups`.
        picture: whether the picture counts; None where it was not measured.
    """

    method: str
    ranking: Ranking
    protocol: Protocol
    catalogue: str
    split: str
    triplet_digest: str
    seed: int
    commit: str | None
    machine: str
    gallery_size: int
    num_queries: int
    groups: Mapping[str, GroupMeans]
    picture: PictureMeasures | None = None

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise InputError(
                f"unknown protocol {self.protocol!r}; the protocols are {', '.join(PROTOCOLS)}"
            )
        if self.ranking not in RANKINGS:
            raise InputError(
                f"unknown ranking {self.ranking!r}; the rankings are {', '.join(RANKINGS)}"
            )

    @property
    def title(self) -> str:
        """Method and ranking in one name, such as "AMGAN-P, fused"; a pure one is not said."""
        return self.method if self.ranking == "pure" else f"{self.method}, {self.ranking}"

    def to_json(self) -> str:
        """JSON text; a mean that is not defined is null."""
        values = asdict(self)
        for group in values["groups"].values():
            group["means"] = {
                name: None if math.isnan(mean) else mean for name, mean in group["means"].items()
            }
        if self.picture is not None:
            values["picture"] = self.picture.to_dict()
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, ranking: Ranking = "pure") -> EvaluationReport:
        """The inverse of `to_json`.

        Args:
            text: JSON.
            ranking: taken for one written before reports had a ranking, unless its method's name
                ends in " fused".

        Raises:
            ValueError: not an evaluation report.
        """
        try:
            values = json.loads(text)
            groups = {
                name: GroupMeans(
                    group["n"],
                    {k: math.nan if v is None else v for k, v in group["means"].items()},
                    group["defined"],
                )
                for name, group in values["groups"].items()
            }
            if "ranking" not in values:
                values["method"], values["ranking"] = _split_name(values["method"], ranking)
            picture = values.get("picture")
            measured = None if picture is None else PictureMeasures.from_dict(picture)
            return cls(**(values | {"groups": groups, "picture": measured}))
        except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise InputError(f"not an evaluation report: {error!r}") from None

    def to_markdown(self, metrics: Sequence[str] = SHOWN) -> str:
        """The report as Markdown: facts, means by number of changes and by attribute, notes."""
        metrics = [name for name in metrics if name in self.groups["all"].means]
        facts = [
            f"- Protocol: **{self.protocol}** ({PROTOCOLS[self.protocol]}).",
            f"- Ranking: **{self.ranking}** ({RANKINGS[self.ranking]}).",
            f"- Catalogue {self.catalogue}, split {self.split}; gallery of "
            f"{self.gallery_size:,} items, the reference left out of its own list; "
            f"{self.num_queries:,} queries.",
            f"- Triplets `{self.triplet_digest[:12]}`, seed {self.seed}, "
            f"commit `{self.commit[:12] if self.commit else 'not known'}`.",
            f"- Machine: {self.machine}.",
        ]
        by_number = [name for name in self.groups if not name.startswith("changes ")]
        by_attribute = [name for name in self.groups if name.startswith("changes ")]
        sections = [f"## {self.method} on {self.catalogue}", "\n".join(facts)]
        sections.append(self._table("Number of changes", by_number, metrics))
        if by_attribute:
            sections.append(self._table("Changed attribute", by_attribute, metrics))
        sections.append(self._notes(metrics))
        if self.picture is not None:
            sections += ["### Whether the picture counts", picture_to_markdown(self.picture)]
        return "\n\n".join(sections) + "\n"

    def _table(self, title: str, names: Sequence[str], metrics: Sequence[str]) -> str:
        rows = [
            [
                name.removeprefix("changes "),
                f"{self.groups[name].n:,}",
                *(format_number(self.groups[name].means[metric]) for metric in metrics),
            ]
            for name in names
        ]
        return format_table([title, "Queries", *map(metric_title, metrics)], rows)

    def _notes(self, metrics: Sequence[str]) -> str:
        definitions = [(name, metric_definition(name)) for name in metrics]
        notes = [f"{metric_title(name)}: {text}." for name, text in definitions if text]
        for group, means in self.groups.items():
            fewer: dict[int, list[str]] = {}
            for name in metrics:
                if name in means.defined:
                    fewer.setdefault(means.defined[name], []).append(metric_title(name))
            notes.extend(
                f"Row {group.removeprefix('changes ')}: {', '.join(titles)} over the {count:,} of "
                f"{means.n:,} queries for which it is defined."
                for count, titles in fewer.items()
            )
        return "\n".join(f"- {note}" for note in notes)


def _split_name(method: str, ranking: Ranking) -> tuple[str, Ranking]:
    """Method and ranking of a report that tells the latter by the name, if at all."""
    if method.endswith(_FUSED_NAME):
        return method.removesuffix(_FUSED_NAME), "fused"
    return method, ranking


def build_report(
    results: PerQueryResults,
    *,
    method: str,
    ranking: Ranking,
    protocol: Protocol,
    catalogue: str,
    split: str,
    triplet_digest: str,
    seed: int,
    gallery_size: int,
    picture: PictureMeasures | None = None,
) -> EvaluationReport:
    """Means of `results` by group; commit and machine are those of this process."""
    groups = {}
    for name, chosen in results.groups().items():
        n = int(chosen.sum())
        means, defined = {}, {}
        for metric, values in results.metrics.items():
            means[metric], count = mean_of_defined(values[chosen])
            if count < n:
                defined[metric] = count
        groups[name] = GroupMeans(n, means, defined)
    return EvaluationReport(
        method,
        ranking,
        protocol,
        catalogue,
        split,
        triplet_digest,
        seed,
        commit_id(),
        machine_description(),
        gallery_size,
        len(results),
        groups,
        picture,
    )


def save_report(report: EvaluationReport, path: Path) -> None:
    """Write JSON, or Markdown where the name ends in .md, atomically."""
    path = Path(path)
    write_text(path, report.to_markdown() if path.suffix == ".md" else report.to_json())


def load_report(path: Path, ranking: Ranking = "pure") -> EvaluationReport:
    """Read a report's JSON.

    Args:
        path: the file.
        ranking: see `EvaluationReport.from_json`.

    Raises:
        ValueError: with the file, not an evaluation report.
    """
    try:
        return EvaluationReport.from_json(Path(path).read_text(encoding="utf-8"), ranking)
    except (InputError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: {error}", file=path) from None


def comparison_to_markdown(
    reports: Iterable[EvaluationReport],
    metrics: Sequence[str] = SHOWN,
    *,
    group: str = "all",
    marks: Mapping[tuple[str, str], str] | None = None,
) -> str:
    """One row a method; the best figure of a column is bold.

    Where a report has a fused ranking, a column tells the ranking of each.

    Args:
        reports: of the same triplets, protocol and gallery.
        metrics: columns.
        group: which queries.
        marks: what to put after a figure, by (`EvaluationReport.title`, metric), such as stars of
            significance.

    Raises:
        ValueError: the reports are not about the same queries.
    """
    reports = list(reports)
    facts = {(r.protocol, r.triplet_digest, r.gallery_size, r.split) for r in reports}
    if len(facts) != 1:
        raise InputError("reports to compare must share protocol, triplets, gallery and split")
    marks = marks or {}
    metrics = [m for m in metrics if all(m in r.groups[group].means for r in reports)]
    best = {m: _best(r.groups[group].means[m] for r in reports) for m in metrics}
    told = any(report.ranking != "pure" for report in reports)
    rows = []
    for report in reports:
        row = [report.method, report.ranking] if told else [report.method]
        for metric in metrics:
            number = format_number(report.groups[group].means[metric])
            shown = f"**{number}**" if number == best[metric] else number
            row.append(shown + marks.get((report.title, metric), "").replace("*", r"\*"))
        rows.append(row)
    headings = ["Method", "Ranking"] if told else ["Method"]
    return format_table([*headings, *map(metric_title, metrics)], rows) + "\n"


def _best(values: Iterable[float]) -> str | None:
    defined = [value for value in values if not math.isnan(value)]
    return format_number(max(defined)) if defined else None
