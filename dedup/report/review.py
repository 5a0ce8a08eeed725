"""The most doubtful removals of a report, with their texts, which are read from the files that were searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.errors import InputError
from dedup.hash_key import PUBLIC
from dedup.options import check_whole
from dedup.page.reviewed import review_table
from dedup.report.inputs import Searched
from dedup.report.page import Opened, place_names

if TYPE_CHECKING:
    import pyarrow as pa

from dedup.reading import WORDS, Reading

__all__ = ["review_of_report"]


def review_of_report(report: Searched, n: int) -> pa.Table:
    """Return what `dedup.results.duplicates.Duplicates.review` returns for the search of a report."""
    import pyarrow as pa
    import pyarrow.compute as pc

    n = check_whole("n", n, 1)
    if report.kind != "find":
        raise InputError(
            f"expected a report of a search for duplicates, found one of {report.kind!r}; name another, or look at "
            "this one with dedup show"
        )
    unit = report.options["unit"]
    decisions = report.table("decisions")
    parts = place_names(decisions, unit)
    near = pc.and_(pc.equal(decisions["reason"], "near"), pc.invert(decisions["kept"])).fill_null(False)
    rows = np.flatnonzero(near.to_numpy())
    rows = rows[np.argsort(decisions["similarity"].to_numpy()[rows], kind="stable")[:n]]
    clusters = decisions["cluster"].to_numpy()
    centres = np.flatnonzero(decisions["reason"].is_null().to_numpy())
    centre_of = np.empty(len(centres), dtype=np.int64)
    centre_of[clusters[centres]] = centres
    kept = centre_of[clusters[rows]]
    # the rows of decisions are in input order, those of clusters by cluster and then in input order
    place = np.empty(len(clusters), dtype=np.int64)
    place[np.argsort(clusters, kind="stable")] = np.arange(len(clusters), dtype=np.int64)
    members = report.table("clusters", ["id", "kept_id", "similarity", "difference", *parts])

    def of(some: Any, name: str) -> Any:
        return members[name].take(pa.array(place[some]))

    names: dict[str, Any] = {name: of(rows, name) for name in ("id", *parts)}
    names |= {"kept_id": of(rows, "kept_id"), **{f"kept_{name}": of(kept, name) for name in parts}}
    names |= {name: of(rows, name) for name in ("similarity", "difference")}
    opened = Opened(report, "texts")

    def text(row: int) -> str:
        return opened.part({name: decisions[name][row].as_py() for name in ("file", "record", *parts)})

    texts = [(text(one), text(other)) for one, other in zip(rows.tolist(), kept.tolist(), strict=True)]
    reading = Reading(PUBLIC, tuple(report.options.get("ignore", ())), report.options.get("tokens", WORDS))
    return review_table(names, texts, report.options["shingle"], reading, report.options["metric"])
