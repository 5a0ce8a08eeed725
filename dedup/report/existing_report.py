"""A report that already exists: if it is of the same search, nothing is left to do; else it is an error.

A run may be killed after its report is complete. If the same command is given again, it finds the report, sees that the
files (by path, size and time) and the options are the same, and ends without an error.
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

__all__ = ["ASKED", "existing_report"]

ASKED = "asked"
"""The field of ``run.json`` with every option of the search on which the report depends."""

ELSE = "choose another name, or remove it first"


def existing_report(
    folder: str | Path, kind: str, asked: Mapping[str, Any], inputs: Iterable[tuple[str, Any]]
) -> Report | None:
    """Return the report in `folder` if it is of this search, or None if the folder is free and writable.

    `kind` is the command (find, match, repeats), `inputs` are pairs of a side ("texts", "against") and a file
    (`dedup.sources.files.listing.Entry`). Raises `ParameterError` if the folder contains anything else; for a report
    of another search the message says how that differs. Raises `StorageError` if the folder cannot be written.
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
    if report.kind != kind:
        raise ParameterError(f"{wanted}, found in {folder} the report of a `dedup {report.kind}`; {ELSE}")
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            raise ParameterError(
                f"{wanted}, found in {folder} the report of a search with {name} {was.get(name)!r}, not "
                f"{now.get(name)!r}; {ELSE}"
            )
    folder_then, folder_now = report.run["folder"], os.getcwd()
    before = {(each.side, _absolute(folder_then, each.path)): (each.size, each.mtime_ns) for each in report.inputs}
    after = {(side, _absolute(folder_now, file.path)): (file.size, file.mtime_ns) for side, file in inputs}
    for side, path in sorted({*before, *after}):
        old, new = before.get((side, path)), after.get((side, path))
        if old != new:
            what = "with" if new is None else "without" if old is None else "of another state of"
            raise ParameterError(f"{wanted}, found in {folder} the report of a search {what} {path}; {ELSE}")
    return report


def _opened(folder: Path) -> Report | None:
    """Return the report in a folder, or None if there is none that is complete and contains its options."""
    if not (folder / "report.json").is_file():
        return None
    try:
        report = Report.open(folder)
    except DedupError:
        return None
    return report if isinstance(report.run.get(ASKED), dict) else None


def _absolute(folder: str, path: str) -> str:
    return path if path == "-" else os.path.normpath(os.path.join(folder, path))
