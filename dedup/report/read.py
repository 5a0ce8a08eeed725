"""The report: the result of a search of files, as a folder of tables.

::

    report.json        the inputs and the options; the names, lengths and checksums of the files below
    pairs.parquet      `Duplicates.pairs`, `Matches.pairs`
    clusters.parquet   `Duplicates.clusters`
    spans.parquet      `Repeats.table`, `Matches.passages`
    decisions.parquet  members of clusters by (file, record), in input order; `dedup apply` reads them
    summary.json       the summary
    rejects.jsonl      the records that could not be read: file, line, offset, reason
    run.json           seconds, host, versions, folder, modification times of the inputs, and the closest pair if no
                       pair was found; the only file that may differ between two equal runs

All files except ``run.json`` depend only on the inputs, their names and the options, byte for byte. (Parquet files
contain the version of pyarrow in ``created_by``, and another version may encode the same rows in other bytes.) The
folder is written completely or not at all. ``report.json`` and ``run.json`` contain a checksum of themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import DedupError, InputError, StorageError
from dedup.options import check_path, shown
from dedup.page.showing import Shown
from dedup.report.inputs import Input
from dedup.report.sealing import read_sealed, seal_of, sum_of
from dedup.results.counted import counted
from dedup.sources.files.encodings import check_encoding
from dedup.sources.files.formats.named import COMPRESSIONS, FORMATS, NAMED_ONLY
from dedup.storage.atomic import plain_name

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.page.view import View

__all__ = ["FORMAT", "VERSION", "Input", "Report"]

FORMAT = "dedup report"
VERSION = 1
"""The version of the layout of the folder and its tables. A report of another version is refused."""

REPORT_FILES = {
    "find": {"clusters.parquet", "decisions.parquet", "pairs.parquet", "rejects.jsonl", "summary.json"},
    "match": {"decisions.parquet", "pairs.parquet", "rejects.jsonl", "summary.json"},
    "repeats": {"spans.parquet", "rejects.jsonl", "summary.json"},
}
"""The files that every report of a kind of search contains."""


def _check_fields(
    body: Mapping[str, Any], inputs: Iterable[Input], run: Mapping[str, Any], files: Iterable[str]
) -> None:
    """Raise `ValueError` or `TypeError` if a field of a report has a value that dedup does not write."""
    if missing := REPORT_FILES[body["kind"]].difference(files):
        raise ValueError(f"no {min(missing)}")
    for name, value, kind in (("options", body["options"], dict), ("folder", run["folder"], str)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} {shown(value)}")
    if not any(each.side == "texts" for each in inputs):
        raise ValueError("no inputs")
    for each in inputs:
        numbers = (each.size, each.records, each.rejected, each.mtime_ns)
        known = each.format in {*FORMATS.values(), *NAMED_ONLY} and each.compression in (None, *COMPRESSIONS.values())
        known = known and check_encoding(each.encoding) == each.encoding
        if not (known and isinstance(each.path, str) and all(isinstance(number, int) for number in numbers)):
            raise ValueError(f"the input {shown(each.path)}")


@dataclass(frozen=True, eq=False, repr=False)
class Report(Shown):
    """A report that `dedup find`, `repeats` or `match` wrote; see `Report.open`.

    Two reports are equal if all their files except ``run.json`` are equal, whatever their folders.

    Attributes
    ----------
    folder : the path of the folder
    kind : "find", "repeats" or "match"
    options : the options of the search: unit, threshold, metric, shingle, method, column, ...
    inputs : the files that were searched, in order (`Input`)
    run : seconds, host, versions
    files : the names of its files
    seal : the checksum of ``report.json``, which contains the checksums of the other files
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
        return self.seal == other.seal  # the seal covers the checksums of the other files

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"folder": self.folder.absolute()}

    @classmethod
    def open(cls, folder: str | Path, *, verify: bool = True) -> Report:
        """Return the report in a folder.

        Raises `StorageError` if it is incomplete, damaged, or has another version of the format. Every file is read
        once to check its checksum; with ``verify=False`` only its length is checked. Tables are read at first use.
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
        body = read_sealed(folder / "report.json")
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
            found = seal_of(path) if verify else {"bytes": path.stat().st_size, "xxh3_128": file["xxh3_128"]}
            for key in ("bytes", "xxh3_128"):
                if found[key] != file[key]:
                    raise StorageError(
                        f"{path}: expected {key} {file[key]}, found {found[key]}: the file was changed after it was "
                        "written; make the report again"
                    )
        run = read_sealed(folder / "run.json")
        changed = run.pop("mtime_ns")
        inputs = tuple(Input(**each, mtime_ns=when) for each, when in zip(body["inputs"], changed, strict=True))
        files = tuple(file["name"] for file in body["files"])
        _check_fields(body, inputs, run, files)
        return cls(folder, body["kind"], body["options"], inputs, run, files, sum_of(body))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The summary, as `Summary.to_dict` returns it."""
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
        """Return a table, or some of its columns. Raise `InputError` if a report of this kind does not have it."""
        import pyarrow.parquet as pq

        if f"{name}.parquet" not in self.files:
            raise InputError(f"{self.folder}: a report of {self.kind!r} has no table {name!r}")
        return pq.read_table(self.folder / f"{name}.parquet", columns=columns)

    def rejects(self) -> Iterator[dict[str, Any]]:
        """Yield each record that could not be read: file, line, offset, reason."""
        with open(self.folder / "rejects.jsonl", encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def review(self, n: int = 20) -> pa.Table:
        """Return the `n` removed texts that are nearest to the threshold, as `Duplicates.review` does.

        The texts are read from the files that were searched. Raises `InputError` for other reports than those of a
        search for duplicates.
        """
        from dedup.report.review import review_of_report

        return review_of_report(self, n)

    def _view(self) -> View:
        from dedup.report.page import view_of_report

        return view_of_report(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the kind, the options and the inputs of the report as a dict."""
        return {"kind": self.kind, "options": self.options, "inputs": [asdict(each) for each in self.inputs]}
