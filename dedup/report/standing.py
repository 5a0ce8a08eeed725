"""A report that stands already: of the same search, so that there is nothing to do, or of another, which is an error.

A run that is killed when its report is in its place has done all that it was asked for. The same command, given again,
finds the report, sees that it is of the same files (by path, size and time) and options, and ends well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dedup.errors import DedupError, ParameterError
from dedup.report.read import Report
from dedup.storage.atomic import storage_errors
from dedup.storage.folders import check_folder, check_free, check_writable

__all__ = ["ASKED", "standing_report"]

ASKED = "asked"
"""The field of ``run.json`` that says what a search was asked, to the last option that its report depends on."""

ELSE = "choose another name, or remove it first"


def standing_report(folder: str | Path, asked: Mapping[str, Any], inputs: Iterable[tuple[str, Any]]) -> Report | None:
    """Return the report that stands in `folder`, if it is of this search; None where the folder is free and writable.

    `inputs` are pairs of a side ("texts", "against") and a file (`dedup.sources.files.listing.Entry`). Raises
    `ParameterError` where something else stands there, saying how it differs, and `StorageError` where nothing can be
    written.
    """
    check_folder("output", folder)
    with storage_errors(f"look into {folder}", begun=False):
        report = _opened(Path(folder))
    if report is None:
        check_free(folder)
        check_writable(folder)
        return None
    wanted = "output: expected a new or an empty folder, or the report of this search"
    was, now = report.run[ASKED], json.loads(json.dumps(dict(asked)))
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            raise ParameterError(
                f"{wanted}, found in {folder} the report of a search with {name} {was.get(name)!r}, not "
                f"{now.get(name)!r}; {ELSE}"
            )
    there = {(each.side, _whole(report.run["folder"], each.path)): (each.size, each.mtime_ns) for each in report.inputs}
    here = {(side, _whole(os.getcwd(), file.path)): (file.size, file.mtime_ns) for side, file in inputs}
    for side, path in sorted({*there, *here}):
        old, new = there.get((side, path)), here.get((side, path))
        if old != new:
            what = "with" if new is None else "without" if old is None else "of another state of"
            raise ParameterError(f"{wanted}, found in {folder} the report of a search {what} {path}; {ELSE}")
    return report


def _opened(folder: Path) -> Report | None:
    """Return the report in a folder, if there is a whole one that says what it was asked."""
    if not (folder / "report.json").is_file():
        return None
    try:
        report = Report.open(folder)
    except DedupError:
        return None
    return report if isinstance(report.run.get(ASKED), dict) else None


def _whole(folder: str, path: str) -> str:
    return path if path == "-" else os.path.normpath(os.path.join(folder, path))
