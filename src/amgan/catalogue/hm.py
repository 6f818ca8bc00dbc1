"""H&M: the public competition's layout, ``articles.csv`` and ``images/010/0108775015.jpg``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from amgan.catalogue.assembly import Checks, Columns, assemble_catalogue
from amgan.catalogue.raw_table import RawTable
from amgan.catalogue.records import Catalogue
from amgan.catalogue.rows import cell_text, read_rows
from amgan.catalogue.source_rows import SourceRow
from amgan.catalogue.validation import Problem, ValidationError, ValidationReport

HM_ATTRIBUTES = (
    "product_type_name",
    "graphical_appearance_name",
    "colour_group_name",
    "perceived_colour_value_name",
    "perceived_colour_master_name",
    "garment_group_name",
    "index_group_name",
)
HM_ARTICLES = 105_542
TOPS_GROUP = "Garment Upper body"
_ID, _PRODUCT, _GROUP = "article_id", "product_code", "product_group_name"
_ID_DIGITS = 10
_NO_VALUE = ("unknown", "undefined")


def load_hm(
    root: Path,
    *,
    attributes: tuple[str, ...] = HM_ATTRIBUTES,
    product_group: str | None = None,
    checks: Checks | None = None,
) -> tuple[Catalogue, ValidationReport]:
    """Read the competition's articles; labels are the names in the article table.

    "Unknown" and "undefined" are missing labels. Some articles have no picture; they are left out
    and counted, in strict mode too. An id that lost its leading zero in a spreadsheet gets it back.

    Args:
        root: folder of ``articles.csv`` and ``images``.
        attributes: columns taken for attributes; the other columns become fields.
        product_group: only articles of this ``product_group_name``, such as `TOPS_GROUP`.
        checks: how strictly.

    Raises:
        ValidationError: the table cannot be used, or strict mode and a bad row.
    """
    checks = checks or Checks()
    root = Path(root).absolute()
    table = read_rows(root / "articles.csv")
    table.require((_ID, _PRODUCT, _GROUP, *attributes))
    problems = checks.compare_count(table.file, "articles", len(table.rows), HM_ARTICLES)
    rows = list(_rows(table, attributes, product_group))
    if not rows:
        groups = sorted({str(cells[table.columns.index(_GROUP)]) for _, cells in table.rows})
        message = f"no article is of this group; the groups are {', '.join(groups)}"
        raise ValidationError.of(
            Problem(str(table.file), None, _GROUP, product_group, message, "bad-value"),
            *table.problems,
        )
    return assemble_catalogue(
        "hm",
        table.file,
        rows,
        attributes,
        problems=[*table.problems, *problems],
        columns=Columns(image=_ID, item_id=_ID),
        checks=checks,
        pictures_may_lack=True,
    )


def _rows(
    table: RawTable, attributes: tuple[str, ...], product_group: str | None
) -> Iterator[SourceRow]:
    others = [n for n in table.columns if n not in (_ID, _PRODUCT, *attributes)]
    images = table.file.parent / "images"
    for row, cells in table.rows:
        texts = dict(zip(table.columns, map(cell_text, cells), strict=True))
        if product_group is not None and texts[_GROUP] != product_group:
            continue
        article = texts[_ID]
        if article is None or not article.isdecimal() or len(article) > _ID_DIGITS:
            table.problems.append(
                Problem(
                    str(table.file),
                    row,
                    _ID,
                    article,
                    f"an article id has {_ID_DIGITS} digits",
                    "bad-value",
                )
            )
            continue
        article = article.zfill(_ID_DIGITS)
        yield SourceRow(
            table.file,
            row,
            article,
            images / article[:3] / f"{article}.jpg",
            {name: _label(texts[name]) for name in attributes},
            texts[_PRODUCT],
            None,
            {name: texts[name] for name in others},
        )


def _label(text: str | None) -> str | None:
    return None if text is None or text.casefold() in _NO_VALUE else text
