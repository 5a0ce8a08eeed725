"""Write a report: the tables of a result, in a folder that is written completely or not at all.

The layout of the folder is described in `dedup.report.read`.
"""

from __future__ import annotations

import json
import os
import platform
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import ParameterError
from dedup.options import check_flag, check_path
from dedup.report.read import FORMAT, VERSION, Report
from dedup.report.sealing import as_json, seal_of, write_sealed
from dedup.results.duplicates import Duplicates, evidence_of
from dedup.results.matches import Matches
from dedup.results.repeats import Repeats
from dedup.sources.columns import plain_names
from dedup.sources.files.file_texts import FileTexts
from dedup.storage.folders import refuse_overlap, whole_folder

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write_report", "write_run_report"]

OF_FEW_WORDS = ("reason", "column")
"""The ends of the names of columns that have few different words, and are written as dictionaries."""

GROUP = 1 << 17
"""Rows of a row group. So many rows of a table are in memory while it is written."""

Rows = Iterable["pa.Table"]


def write_report(
    folder: str | Path,
    result: Duplicates | Repeats | Matches,
    options: Mapping[str, Any] | None = None,
    *,
    replace: bool = False,
) -> None:
    """Write the report of a search of files into a new folder, completely or not at all.

    Parameters
    ----------
    result : the result of a search of files (`dedup.files`); it knows its files and their rejects
    options : further options of the search, which the result does not contain, for `report.json`
    replace : whether `folder` may contain a report, which is then replaced

    Raises `ParameterError` if `folder` contains files, or is or contains an input, or if the texts were not in files;
    `StorageError` if the folder cannot be written.
    Memory: a row group (`GROUP` rows) in addition to the result; for matches, their complete tables.
    """
    _check_options(options)
    write_run_report(folder, result, options=options, replace=replace)


def _check_options(options: Any) -> None:
    """Raise `ParameterError` if `options` are not what JSON can say."""
    wanted = "options: expected a dict of values that JSON can say"
    if options is not None and not isinstance(options, Mapping):
        raise ParameterError(f"{wanted}, found {type(options).__name__}")
    for name, value in (options or {}).items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{wanted}, found {type(value).__name__} as {name!r}") from error
        if not isinstance(name, str):
            raise ParameterError(f"{wanted}, found the name {name!r}, which is no str")


def write_run_report(
    folder: str | Path,
    result: Duplicates | Repeats | Matches,
    *,
    listing: Iterable[Any] | None = None,
    rejects: Iterable[Any] = (),
    run: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    against: Iterable[Any] = (),
    replace: bool = False,
) -> None:
    """Write a report as `write_report` does, with what only the run knows.

    Parameters
    ----------
    listing : the files that were searched; None: those of the result, with its `against` and `rejects`
    rejects : the records that could not be read (`Reject`), in order; they may be read from disk one by one
    run : further fields of `run.json`, such as seconds
    against : the files of the other collection of a match
    """
    folder, replace = check_path("folder", folder), check_flag("replace", replace)
    if not isinstance(result, (Duplicates, Repeats, Matches)):
        raise ParameterError(
            f"result: expected what find_duplicates, find_repeats or match returned, found {type(result).__name__}"
        )
    kind, texts, tables, summary, known = parts_of(result)
    if listing is None:
        listing, against, rejects = _files_of(result, texts)
    sides = [("texts", file) for file in listing] + [("against", file) for file in against]
    refuse_overlap(folder, [("the input", getattr(file, "source", file.path)) for _, file in sides if file.path != "-"])
    if replace and Path(folder).exists() and any(Path(folder).iterdir()):
        Report.open(folder, verify=False)
    with whole_folder(folder, replace=replace) as new:
        rejected: dict[str, int] = {}
        with open(new / "rejects.jsonl", "w", encoding="utf-8", newline="\n") as out:
            for reject in rejects:
                rejected[reject.file] = rejected.get(reject.file, 0) + 1
                out.write(json.dumps(reject._asdict(), ensure_ascii=True) + "\n")
        for name, rows in tables.items():
            write_table(new / f"{name}.parquet", rows)
        (new / "summary.json").write_text(as_json(summary), encoding="utf-8", newline="\n")
        records = texts.records_of(len(sides)).tolist()
        inputs = []
        for number, (side, file) in enumerate(sides):
            inputs.append(
                {
                    "path": str(file.path),
                    "side": side,
                    "format": file.format,
                    "compression": file.compression,
                    "size": file.size,
                    "records": records[number],
                    "rejected": rejected.get(str(file.path), 0),
                    **({"encoding": file.encoding} if getattr(file, "encoding", None) else {}),
                }
            )
        files = [{"name": path.name, **seal_of(path)} for path in sorted(new.iterdir())]
        asked = {**known, **(options or {}), "folders": list(getattr(listing, "folders", []))}
        body = {"format": FORMAT, "version": VERSION, "kind": kind, "options": asked}
        write_sealed(new / "report.json", {**body, "inputs": inputs, "files": files})
        changed = [file.mtime_ns for _, file in sides]
        unread = [some.to_dict() for each in (listing, against) if (some := getattr(each, "unread", None))]
        where = getattr(listing, "where", None) or os.getcwd()
        hint = {} if isinstance(result, Repeats) else {"closest": result.closest}
        ran = {**machine(), "folder": where, "unread": unread, **hint, **(run or {}), "mtime_ns": changed}
        write_sealed(new / "run.json", ran)


def _files_of(result: Any, texts: Any) -> tuple[Any, Any, list[Any]]:
    """Return the files of a result, the files of its other side, and the rejects of both."""
    sides = [texts, result.other_texts] if isinstance(result, Matches) else [texts]
    for side in sides:
        if not isinstance(side, FileTexts):
            raise ParameterError(
                "result: expected the result of a search of files, found texts in memory; search dedup.files(...)"
            )
    rejects = [reject for side in sides for reject in side.rejects]
    return sides[0].listing, sides[1].listing if len(sides) > 1 else (), rejects


def parts_of(result: Any, *, group: int = GROUP) -> tuple[str, Any, dict[str, Rows], dict[str, Any], dict[str, Any]]:
    """Return the kind of a result, its texts, tables, summary and options; tables have row groups of `group` rows."""
    if isinstance(result, Duplicates):
        found = evidence_of(result)
        run = found.run
        members = len(found.members[0])
        tables = {
            "clusters": _groups(found.cluster_rows, members, group),
            "decisions": _groups(found.decision_rows, members, group),
            "pairs": _groups(found.pair_rows, len(found.listed), group),
        }
        names = ("unit", "threshold", "metric", "shingle", "method", "column", "distinct", "ignore")
        options = {name: getattr(run, name) for name in (*names, "tokens", "hash_key")}
        options |= {"column": plain_names(run.column)}
        options |= {name: getattr(run, name) for name in ("within", "across") if getattr(run, name) is not None}
        options |= {"keep": "none"} if run.removes_all else {}
        options |= {"min_documents": run.min_documents} if run.min_documents > 1 else {}
        return "find", found.texts, tables, result.summary.to_dict(), options
    if isinstance(result, Repeats):
        summary = {"texts": len(result.texts), "repeats": len(result), "coverage": result.coverage}
        known = {"hash_key": result.reading.key.fingerprint, **result.reading.asked()}
        known |= {"column": plain_names(result.texts.text_column)}
        tables = {"decisions": _sliced(result.decision_rows, group), "spans": _groups(result.rows, len(result), group)}
        return "repeats", result.texts, tables, summary, known
    tables = {
        "decisions": _sliced(result.decision_rows, group),
        "pairs": _groups(result.pair_rows, len(result), group),
    }
    if result.options["min_words"] is not None:
        tables["spans"] = _sliced(lambda: result.passages, group)
    options = result.options
    if result.other_texts.text_column != result.texts.text_column:
        options["against_column"] = plain_names(result.other_texts.text_column)
    return "match", result.texts, tables, result.summary.to_dict(), options


def _groups(rows: Callable[[slice], pa.Table], count: int, group: int) -> Rows:
    return (rows(slice(start, min(start + group, count))) for start in range(0, max(count, 1), group))


def _sliced(make: Callable[[], pa.Table], group: int) -> Rows:
    table = make()
    return (table.slice(start, group) for start in range(0, max(table.num_rows, 1), group))


def write_table(path: Path, parts: Rows) -> None:
    """Write tables of one schema as the row groups of a Parquet file. Equal rows give equal bytes."""
    import pyarrow.parquet as pq

    parts = iter(parts)
    first = next(parts)
    with pq.ParquetWriter(
        path,
        first.schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in first.column_names if name.endswith(OF_FEW_WORDS)] or False,
        write_statistics=True,
        data_page_version="1.0",
        store_schema=False,
    ) as writer:
        writer.write_table(first, row_group_size=GROUP)
        for part in parts:
            writer.write_table(part, row_group_size=GROUP)


def machine() -> dict[str, Any]:
    """Return the host, the platform, the number of processors and the versions of this run."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {"python": platform.python_version()}
    for name in ("dedup-text", "numba", "numpy", "pyarrow", "xxhash"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": versions,
    }
