"""The report: what a search of files found, as a folder of tables.

::

    report.json        what was searched and how; the names, lengths and checksums of the files below
    pairs.parquet      `Duplicates.pairs`, `Matches.pairs`
    clusters.parquet   `Duplicates.clusters`
    spans.parquet      `Repeats.table`, `Matches.passages`
    decisions.parquet  members of clusters by (file, record), in input order: what `dedup apply` goes by
    summary.json       the summary
    rejects.jsonl      the records that could not be read: file, line, offset, reason
    run.json           seconds, host, versions, folder, when the files were changed, the closest pair where none was
                       found; the one file that two equal runs do not have in common

All but ``run.json`` is a function of the inputs, their names and the options, byte for byte. (Parquet files name the
version of pyarrow that wrote them in ``created_by``; another version may pack the same rows otherwise.) The folder
appears whole or not at all. ``report.json`` and ``run.json`` carry a checksum of themselves.
"""

from __future__ import annotations

import json
import os
import platform
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dedup.errors import DedupError, InputError, ParameterError, StorageError
from dedup.options import check_flag, check_path, shown
from dedup.results.duplicates import Duplicates, evidence_of
from dedup.results.matches import Matches
from dedup.results.repeats import Repeats, counted
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.listing import COMPRESSIONS, FORMATS
from dedup.storage.atomic import plain_name
from dedup.storage.folders import refuse_overlap, whole_folder

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Input", "Report", "write_report"]

FORMAT = "dedup report"
VERSION = 1
"""Of the layout of the folder and of its tables; a reader refuses another one."""

PARTS = {
    "find": {"clusters.parquet", "decisions.parquet", "pairs.parquet", "rejects.jsonl", "summary.json"},
    "match": {"decisions.parquet", "pairs.parquet", "rejects.jsonl", "summary.json"},
    "repeats": {"spans.parquet", "rejects.jsonl", "summary.json"},
}
"""What the report of each kind of search holds in any case."""

GROUP = 1 << 17
"""Rows of a row group: what is in memory of a table while it is written."""

Rows = Iterable["pa.Table"]


@dataclass(frozen=True)
class Input:
    """A file that was searched.

    Attributes
    ----------
    path : as it was named
    side : "texts", or "against" for the other collection of a match
    format, compression : "jsonl", "csv", "txt", "parquet", "arrow"; "gzip", "zstd", "bz2", "xz" or None
    size : bytes
    records : records that are texts; 0 on the other side of a match, where they are not counted
    rejected : records that could not be read
    mtime_ns : when it was changed last; in ``run.json``
    """

    path: str
    side: str
    format: str
    compression: str | None
    size: int
    records: int
    rejected: int
    mtime_ns: int


def write_report(
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
    """Write the report of a search of files into a new folder, which appears whole or not at all.

    Parameters
    ----------
    result : what was found in files (`dedup.files`)
    listing : the files that were searched; `against` those of the other collection of a match; None: the result knows
    rejects : the records that could not be read (`Reject`), in order
    run : what `run.json` says beside host and versions: seconds, say
    options : what the search was asked, beside what the result knows itself
    replace : whether `folder` may be a report already

    Raises `ParameterError` where `folder` has files, or is or holds an input, `StorageError` where it cannot be
    written.
    Memory: a row group (`GROUP` rows) beside the result; for matches, their tables.
    """
    folder, replace = check_path("folder", folder), check_flag("replace", replace)
    if not isinstance(result, (Duplicates, Repeats, Matches)):
        raise ParameterError(
            f"result: expected what find_duplicates, find_repeats or match returned, found {type(result).__name__}"
        )
    kind, texts, tables, summary, known = _parts(result)
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
        (new / "summary.json").write_text(_written(summary), encoding="utf-8", newline="\n")
        records = np.bincount(texts.locate(np.arange(len(texts)))[0], minlength=len(sides)).tolist()
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
                }
            )
        files = [{"name": path.name, **_seal(path)} for path in sorted(new.iterdir())]
        asked = {**known, **(options or {}), "folders": list(getattr(listing, "folders", []))}
        body = {"format": FORMAT, "version": VERSION, "kind": kind, "options": asked}
        _write_sealed(new / "report.json", {**body, "inputs": inputs, "files": files})
        changed = [file.mtime_ns for _, file in sides]
        unread = [some.to_dict() for each in (listing, against) if (some := getattr(each, "unread", None))]
        where = getattr(listing, "where", None) or os.getcwd()
        hint = {} if isinstance(result, Repeats) else {"closest": result.closest}
        ran = {**machine(), "folder": where, "unread": unread, **hint, **(run or {}), "mtime_ns": changed}
        _write_sealed(new / "run.json", ran)


def _files_of(result: Any, texts: Any) -> tuple[Any, Any, list[Any]]:
    """Return the files of a result that knows them, those of the other side, and the rejects of both."""
    sides = [texts, result.other_texts] if isinstance(result, Matches) else [texts]
    for side in sides:
        if not isinstance(side, FileTexts):
            raise ParameterError(
                "result: expected what was found in files, found texts in memory; pass dedup.files(...)"
            )
    rejects = [reject for side in sides for reject in side.rejects]
    return sides[0].listing, sides[1].listing if len(sides) > 1 else (), rejects


def _parts(result: Any) -> tuple[str, Any, dict[str, Rows], dict[str, Any], dict[str, Any]]:
    """Return the kind of a result, its texts, tables, summary and options."""
    if isinstance(result, Duplicates):
        found = evidence_of(result)
        run = found.run
        members = len(found.members[0])
        tables = {
            "clusters": _groups(found.cluster_rows, members),
            "decisions": _groups(found.decision_rows, members),
            "pairs": _groups(found.pair_rows, len(found.listed)),
        }
        names = ("unit", "threshold", "metric", "shingle", "method", "column", "hash_key")
        return "find", found.texts, tables, result.summary.to_dict(), {name: getattr(run, name) for name in names}
    if isinstance(result, Repeats):
        summary = {"texts": len(result.texts), "repeats": len(result), "coverage": result.coverage}
        known = {"hash_key": result.hash_key}
        return "repeats", result.texts, {"spans": _groups(result.rows, len(result))}, summary, known
    tables = {"decisions": _sliced(result.decision_rows), "pairs": _groups(result.pair_rows, len(result))}
    if result.options["min_words"] is not None:
        tables["spans"] = _sliced(lambda: result.passages)
    return "match", result.texts, tables, result.summary.to_dict(), result.options


def _groups(rows: Callable[[slice], pa.Table], count: int) -> Rows:
    return (rows(slice(start, min(start + GROUP, count))) for start in range(0, max(count, 1), GROUP))


def _sliced(make: Callable[[], pa.Table]) -> Rows:
    table = make()
    return (table.slice(start, GROUP) for start in range(0, max(table.num_rows, 1), GROUP))


def write_table(path: Path, parts: Rows) -> None:
    """Write tables of one schema as the row groups of a Parquet file: the same rows give the same bytes."""
    import pyarrow.parquet as pq

    parts = iter(parts)
    first = next(parts)
    with pq.ParquetWriter(
        path,
        first.schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=["reason"] if "reason" in first.column_names else False,
        write_statistics=True,
        data_page_version="1.0",
        store_schema=False,
    ) as writer:
        writer.write_table(first, row_group_size=GROUP)
        for part in parts:
            writer.write_table(part, row_group_size=GROUP)


def machine() -> dict[str, Any]:
    """Return what ran: host, processor, versions."""
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


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, indent=1) + "\n"


def _seal(path: Path) -> dict[str, Any]:
    """Return the length of a file and its 128-bit xxh3."""
    digest, size = xxhash.xxh3_128(), 0
    with open(path, "rb") as file:
        for data in iter(partial(file.read, 1 << 20), b""):
            digest.update(data)
            size += len(data)
    return {"bytes": size, "xxh3_128": digest.hexdigest()}


def _sum(body: Mapping[str, Any]) -> str:
    return xxhash.xxh3_128(_written(body).encode()).hexdigest()


def _write_sealed(path: Path, body: Mapping[str, Any]) -> None:
    path.write_text(_written({**body, "xxh3_128": _sum(body)}), encoding="utf-8", newline="\n")


def _read_sealed(path: Path) -> dict[str, Any]:
    """Read what `_write_sealed` wrote; raise `InputError` where it is not that, to the byte."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"{path}: expected a part of a report, found none: {error.strerror or error}; name the folder that "
            "--output named, or make the report again"
        ) from error
    try:
        body = json.loads(data)
        seal = body.pop("xxh3_128")
    except (ValueError, KeyError, AttributeError, TypeError):
        body, seal = None, None
    whole = body is not None and _written({**body, "xxh3_128": seal}).encode() == data
    if not whole or _sum(body) != seal:
        raise StorageError(f"{path}: expected what dedup wrote there, found something else; make the report again")
    return body  # type: ignore[no-any-return]


def _check_fields(
    body: Mapping[str, Any], inputs: Iterable[Input], run: Mapping[str, Any], files: Iterable[str]
) -> None:
    """Raise `ValueError` where a field of a report cannot be one that was written here."""
    if missing := PARTS[body["kind"]].difference(files):
        raise ValueError(f"no {min(missing)}")
    for name, value, kind in (("options", body["options"], dict), ("folder", run["folder"], str)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} {shown(value)}")
    if not any(each.side == "texts" for each in inputs):
        raise ValueError("no inputs")
    for each in inputs:
        numbers = (each.size, each.records, each.rejected, each.mtime_ns)
        known = each.format in FORMATS.values() and each.compression in (None, *COMPRESSIONS.values())
        if not (known and isinstance(each.path, str) and all(isinstance(number, int) for number in numbers)):
            raise ValueError(f"the input {shown(each.path)}")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """A report that was written by `dedup find`, `repeats` or `match`; see `Report.open`.

    Two reports are equal where their files are, but for ``run.json``, wherever they stand.

    Attributes
    ----------
    folder : where it stands
    kind : "find", "repeats" or "match"
    options : what the search was asked: unit, threshold, metric, shingle, method, column, ...
    inputs : the files that were searched, in order (`Input`)
    run : seconds, host, versions
    files : the names of its files
    seal : the checksum of ``report.json``, which holds those of the other files
    """

    folder: Path
    kind: str
    options: dict[str, Any]
    inputs: tuple[Input, ...]
    run: dict[str, Any]
    files: tuple[str, ...]
    seal: str

    def __repr__(self) -> str:
        inputs = counted(len(self.inputs), "file")
        records = counted(sum(each.records for each in self.inputs if each.side == "texts"), "record")
        return f"Report of {self.kind} in {self.folder}: {inputs} with {records}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return self.seal == other.seal  # of what carries the sums of the other files

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"folder": self.folder.absolute()}

    @classmethod
    def open(cls, folder: str | Path, *, verify: bool = True) -> Report:
        """Open a report: raise `StorageError` where it is not whole, damaged, or of another version of the format.

        Every file is read once to check its sum, unless `verify` is False: then its length alone is checked. Tables are
        read when they are asked for.
        """
        folder = Path(check_path("folder", folder))
        try:
            return cls._opened(folder, verify=verify)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DedupError):
                raise
            raise StorageError(
                f"{folder}: expected a report, found one with other fields ({type(error).__name__}: {error}); make the "
                "report again"
            ) from error

    @classmethod
    def _opened(cls, folder: Path, *, verify: bool) -> Report:
        body = _read_sealed(folder / "report.json")
        if body.get("format") != FORMAT or body.get("version") != VERSION:
            other = f"{body.get('format')!r} version {body.get('version')!r}"
            raise StorageError(f"{folder}: expected a {FORMAT!r} of version {VERSION}, found {other}; make it again")
        for file in body["files"]:
            if not plain_name(file["name"]):
                raise StorageError(
                    f"{folder}: expected the names of its own files in the report, found {file['name']!r}, which dedup "
                    "did not write; make the report again"
                )
            path = folder / file["name"]
            if not path.is_file():
                raise StorageError(f"{path}: expected a part of the report, found none; make the report again")
            found = _seal(path) if verify else {"bytes": path.stat().st_size, "xxh3_128": file["xxh3_128"]}
            for key in ("bytes", "xxh3_128"):
                if found[key] != file[key]:
                    raise StorageError(
                        f"{path}: expected {key} {file[key]}, found {found[key]}: the file was changed after it was "
                        "written; make the report again"
                    )
        run = _read_sealed(folder / "run.json")
        changed = run.pop("mtime_ns")
        inputs = tuple(Input(**each, mtime_ns=when) for each, when in zip(body["inputs"], changed, strict=True))
        files = tuple(file["name"] for file in body["files"])
        _check_fields(body, inputs, run, files)
        return cls(folder, body["kind"], body["options"], inputs, run, files, _sum(body))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The summary, as `Summary.to_dict` gives it."""
        return json.loads((self.folder / "summary.json").read_bytes())  # type: ignore[no-any-return]

    @property
    def pairs(self) -> pa.Table:
        """The pairs (Arrow table); read from disk each time."""
        return self.table("pairs")

    @property
    def clusters(self) -> pa.Table:
        """The members of clusters (Arrow table); read from disk each time."""
        return self.table("clusters")

    @property
    def spans(self) -> pa.Table:
        """The repeats or passages (Arrow table); read from disk each time."""
        return self.table("spans")

    @property
    def decisions(self) -> pa.Table:
        """The members of clusters by file and record, in input order (Arrow table); read from disk each time."""
        return self.table("decisions")

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """Read a table, or some of its columns; raise `InputError` where a report of this kind has none."""
        import pyarrow.parquet as pq

        if f"{name}.parquet" not in self.files:
            raise InputError(f"{self.folder}: a report of {self.kind!r} has no table {name!r}")
        return pq.read_table(self.folder / f"{name}.parquet", columns=columns)

    def rejects(self) -> Iterator[dict[str, Any]]:
        """Yield the records that could not be read: file, line, offset, reason."""
        with open(self.folder / "rejects.jsonl", encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def to_dict(self) -> dict[str, Any]:
        """Return what the report is about, without its tables."""
        return {"kind": self.kind, "options": self.options, "inputs": [asdict(each) for each in self.inputs]}
