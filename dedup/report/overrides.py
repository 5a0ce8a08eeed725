"""Overrides: what a person decided otherwise than a report, a line of JSON each.

::

    {"cluster": 3, "id": "a.jsonl:7", "verdict": "keep", "note": "another edition", "report": "5d41..."}

`verdict` is "keep", "remove" or "unsure"; a text of which somebody is unsure is kept. `note` and `report` may be
missing; `report` is the checksum of the report that the decision is about.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.options import check_path, shown
from dedup.report.read import Report

__all__ = ["Overrides"]

MOST_OVERRIDES = 1 << 28
"""Bytes of a file of overrides, at most: a million decisions or more."""

VERDICTS = {"keep": True, "unsure": True, "remove": False}


class Line(NamedTuple):
    """A line of the file."""

    number: int
    cluster: int
    id: Any
    kept: bool


class Overrides:
    """The decisions of a file about the members of a report's clusters.

    Raises `InputError` if the file cannot be read, a line is not such a decision, is about another report or about a
    text that is not in its cluster, contradicts another line, or if a cluster would lose all of its members.
    """

    def __init__(self, path: str | os.PathLike[str], report: Report) -> None:
        self._path = Path(check_path("overrides", path))
        self._report = report
        self._unit = report.options.get("unit", "document")
        if report.kind != "find":
            raise InputError(f"{self._path}: expected decisions about a report of find, found one of {report.kind}")
        self.lines = self._read()

    def _read(self) -> list[Line]:
        try:
            text = self._whole().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise InputError(
                f"{self._path}: expected a file of overrides, found none that can be read: {reason}; name another"
            ) from error
        lines = [self._line(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        seen: dict[tuple[int, Any], Line] = {}
        for line in lines:
            other = seen.setdefault((line.cluster, _key(line.id)), line)
            if other.kept != line.kept:
                raise InputError(
                    f"{self._path}:{line.number}: expected one verdict about {shown(line.id)}, found another in line "
                    f"{other.number}; leave one of them out"
                )
        return list(seen.values())

    def _whole(self) -> bytes:
        """Return the bytes of the file. Raise `InputError` if there are too many, or no end of them."""
        with open(self._path, "rb") as file:
            found = file.read(MOST_OVERRIDES + 1)
        if len(found) > MOST_OVERRIDES:
            raise InputError(
                f"{self._path}: expected {MOST_OVERRIDES:,} bytes of overrides at most, found more; name another"
            )
        return found

    def _line(self, number: int, text: str) -> Line:
        where = f"{self._path}:{number}"
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: expected a JSON object, found what is none ({error}); save it again") from error
        if not isinstance(found, dict) or not {"cluster", "id", "verdict"} <= found.keys():
            raise InputError(
                f"{where}: expected an object with cluster, id and verdict, found {shown(found)}; write them"
            )
        cluster, verdict = found["cluster"], found["verdict"]
        if not isinstance(cluster, int) or isinstance(cluster, bool):
            raise InputError(f"{where}: cluster: expected a whole number, found {shown(cluster)}")
        if not isinstance(verdict, str) or verdict not in VERDICTS:
            raise InputError(f"{where}: verdict: expected 'keep', 'remove' or 'unsure', found {shown(verdict)}")
        if found.get("report", self._report.seal) != self._report.seal:
            raise InputError(
                f"{where}: expected decisions about the report {self._report.seal}, found the report "
                f"{shown(found['report'])}: these were made about another search; decide again with dedup show"
            )
        return Line(number, cluster, found["id"], VERDICTS[verdict])

    def change(self, kept: npt.NDArray[np.bool_], clusters: npt.NDArray[np.int64]) -> tuple[int, int]:
        """Write the verdicts into `kept`, which has a bool per row of the decisions; `clusters` has their clusters.

        Return how many rows are kept that were removed, and how many are removed that were kept.
        """
        rows = self._rows(clusters)
        before = kept.copy()
        for line in self.lines:
            key = (line.cluster, _key(line.id))
            if key not in rows:
                raise InputError(
                    f"{self._path}:{line.number}: expected a member of cluster {line.cluster}, found {shown(line.id)}, "
                    f"which is none; decide again with dedup show {self._report.folder}"
                )
            kept[rows[key]] = line.kept
        count = int(clusters.max()) + 1 if len(clusters) else 0
        left, some = (np.bincount(clusters[which], minlength=count) for which in (kept, before))
        for line in self.lines:
            if left[line.cluster] == 0 and some[line.cluster] > 0:  # with keep="none" none was kept before
                raise InputError(
                    f"{self._path}:{line.number}: expected a kept text in cluster {line.cluster}, found that all are "
                    "removed; keep one of them"
                )
        return int(np.count_nonzero(kept & ~before)), int(np.count_nonzero(before & ~kept))

    def _rows(self, clusters: npt.NDArray[np.int64]) -> dict[tuple[int, Any], int]:
        """Return the row of the decisions of each member of the clusters that the file is about."""
        wanted = np.isin(clusters, [line.cluster for line in self.lines])
        order = np.argsort(clusters, kind="stable")  # rows of clusters.parquet are in this order
        columns = ["id"] if self._unit == "document" else ["id", self._unit]
        table = self._report.table("clusters", columns)
        at = np.flatnonzero(wanted[order])
        members = table.take(at).to_pylist()
        rows = {}
        for place, member in zip(at.tolist(), members, strict=True):
            name = member["id"] if len(columns) == 1 else (member["id"], member[self._unit])
            rows[int(clusters[order[place]]), name] = int(order[place])
        return rows


def _key(name: Any) -> Any:
    """Return an id, or the id and number of a paragraph or line, as a key."""
    if isinstance(name, dict):
        others = [value for key, value in name.items() if key != "document"]
        return (name.get("document"), *others)
    return name if isinstance(name, (str, int)) else str(name)
