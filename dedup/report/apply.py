"""Apply a report: write a new file for each file that was searched, with the kept records in their own format.

The new folder is written completely or not at all, and the files that were searched are not changed. A new file has the
path of its input, relative to the common parent folder of all inputs. An input that has changed since the search is an
error. This is checked before anything is written, and again after each file is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.options import check_flag, check_path, check_progress
from dedup.report.decisions import Counts, Verdict, Verdicts, last_read
from dedup.report.inputs import absolute, entries_of
from dedup.report.overrides import Overrides
from dedup.report.read import Input, Report
from dedup.report.rewriting.archives import rewrite_archive, rewrite_dump
from dedup.report.rewriting.json import rewrite_json
from dedup.report.rewriting.records import (
    rewrite_document,
    rewrite_lines,
    rewrite_page,
    rewrite_records,
    rewrite_text_lines,
)
from dedup.report.rewriting.tables import rewrite_arrow, rewrite_parquet
from dedup.results.counted import counted
from dedup.results.repeat import left_whole
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import map_blocks, thread_count
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.formats.named import DOCUMENTS
from dedup.sources.files.formats.separated import SEPARATED
from dedup.sources.files.listing import COLUMN, STDIN, Entry
from dedup.sources.files.remote.addresses import is_address
from dedup.storage.folders import check_file, check_free, check_writable, refuse_overlap, whole_folder

__all__ = ["Applied", "apply_entries", "apply_report", "apply_rows", "check_rows_output", "foreseen"]

REWRITE: dict[str, Callable[[Entry, Path, Verdict], Counts]] = {
    "jsonl": rewrite_lines,
    "json": rewrite_json,
    **dict.fromkeys(SEPARATED, rewrite_records),
    "lines": rewrite_text_lines,
    "txt": rewrite_document,
    "html": rewrite_page,
    "warc": rewrite_archive,
    "mediawiki": rewrite_dump,
    "parquet": rewrite_parquet,
    "arrow": rewrite_arrow,
}


@dataclass(frozen=True)
class Applied:
    """The numbers of files and records that `apply_report` wrote.

    Attributes
    ----------
    files : files written
    kept, removed, rejected : records written, records left out by the decisions, and records that could not be read
    cut : records written without some of their paragraphs or lines
    also_kept, also_removed : texts (or paragraphs, lines) that overrides keep and remove, otherwise than the report
    """

    files: int
    kept: int
    removed: int
    rejected: int
    cut: int
    also_kept: int = 0
    also_removed: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return the fields as a dict."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the numbers as a line for people."""
        cut = f", duplicate parts cut out of {self.cut:,}" if self.cut else ""
        changed = ""
        if self.also_kept or self.also_removed:
            changed = f"; by overrides {self.also_kept:,} more kept and {self.also_removed:,} more removed"
        return (
            f"{counted(self.kept, 'record')} written to {counted(self.files, 'file')}{cut}; "
            f"{self.removed:,} removed, {self.rejected:,} rejected{changed}"
        )


def apply_report(
    report: Report | str | Path,
    output: str | Path,
    *,
    annotate: bool = False,
    overwrite: bool = False,
    overrides: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: ProgressOption = False,
) -> Applied:
    """Write new files into the folder `output`, with the records that a report keeps.

    Parameters
    ----------
    report : a report of `dedup find`, `dedup match` or `dedup repeats`, or the path of its folder
    annotate : write every record, with the added fields dedup_cluster, dedup_kept, dedup_similarity, dedup_reason,
        dedup_difference
    overwrite : replace the folder that an earlier call wrote, if it contains only files that will be written again
    overrides : a file of decisions that were made on the page of the report (`dedup show`); they are obeyed
    threads : how many files are written at the same time

    Records keep their bytes (lines of ``.jsonl``, elements of ``.json``, records of ``.csv``) or their values (Parquet,
    Arrow). Files keep their format and compression. If the unit was paragraphs or lines, the duplicate ones are cut out
    of the texts. Repeats are cut out of the texts too: all complete paragraphs of a repeat that have 20 words or more
    together. What is before and after such a cut is then as far apart as on the side of the cut with more blank lines.
    Records that could not be read are left out. Exactly one record of each cluster is written.

    Raises `ParameterError` if `output` contains files, or is, contains, or is inside an input or the report (links are
    followed); `InputError` if an input has changed; `StorageError` if the report is damaged or the disk cannot be
    written.
    """
    annotate, overwrite = check_flag("annotate", annotate), check_flag("overwrite", overwrite)
    workers, progress = thread_count(threads), check_progress(progress)
    output = check_path("output", output)
    report = report if isinstance(report, Report) else Report.open(check_path("report", report))
    entries = entries_of(report)
    _check_kind(report, annotate=annotate)
    folders = [("the input folder", absolute(report, folder)) for folder in report.options.get("folders", [])]
    inputs = [("the input", entry.source) for entry in entries]
    refuse_overlap(output, [("the report", report.folder), *inputs, *folders])
    check_free(output, replace=overwrite)
    check_writable(output)
    for entry in entries:
        if not entry.copied:
            check_file(entry.source, entry.size, entry.mtime_ns)
    names = _names(_named(entries))
    if overwrite:
        _check_replaced(Path(output), set(names))
    decided = None if overrides is None else Overrides(overrides, report)
    verdicts = Verdicts(report, annotate=annotate, overrides=decided)

    with Progress(progress) as stages, whole_folder(output, replace=overwrite) as new:
        return _write_all(report, entries, names, verdicts, new, threads=workers, stages=stages)


def apply_entries(
    report: Report, entries: list[Entry], folder: Path, *, threads: int | None, progress: ProgressOption
) -> tuple[Applied, list[str]]:
    """Write new files into a folder that exists and is empty, as `apply_report` does; return also their names.

    `entries` are the files that were searched; a report does not find copies of standard input again.
    """
    names = _names(_named(entries))
    with Progress(progress) as stages:
        verdicts = Verdicts(report, annotate=False)
        applied = _write_all(report, entries, names, verdicts, folder, threads=thread_count(threads), stages=stages)
    return applied, [name for name in names if (folder / name).exists()]


def foreseen(report: Report) -> Applied:
    """Return the numbers of files and records that `apply_report` would write. No input is read."""
    verdicts = Verdicts(report, annotate=False)
    files = kept = removed = cut = 0
    for number, each in enumerate(report.inputs):
        if each.side != "texts":
            continue
        verdict = verdicts.of(number)
        gone = len(verdict.removed)
        removed, kept = removed + gone, kept + each.records - gone
        cut += len(set(verdict.cuts[:, 0].tolist()))
        alone = each.format in DOCUMENTS and gone > 0
        files += not alone and (each.records > 0 or each.rejected == 0)
    rejected = sum(each.rejected for each in report.inputs if each.side == "texts")
    return Applied(files, kept, removed, rejected, cut)


def _write_all(
    report: Report,
    entries: list[Entry],
    names: list[str],
    verdicts: Verdicts,
    folder: Path,
    *,
    threads: int,
    stages: Progress,
) -> Applied:
    """Write a new file for each entry into a folder that is empty."""
    advance = stages.stage("apply", len(entries))

    def work(number: int) -> Counts:
        path = folder / names[number]
        path.parent.mkdir(parents=True, exist_ok=True)
        return _write(report.inputs[number], entries[number], path, verdicts.of(number))

    total, files = Counts(0, 0), 0
    for number, counts in enumerate(map_blocks(work, range(len(entries)), threads)):
        total, files = total.plus(counts), files + (folder / names[number]).exists()
        advance(number + 1)
    _sweep_empty(folder)
    rejected = sum(each.rejected for each in report.inputs if each.side == "texts")
    return Applied(files, total.kept, total.removed, rejected, total.cut, *verdicts.changed)


def check_rows_output(texts: FileTexts, output: str | Path, others: list[tuple[str, str | Path]]) -> None:
    """Raise `ParameterError` or `StorageError` if the files of some texts could not be written anew to `output`.

    `others` are further paths that it must not overlap, each with a word for it.
    """
    output = check_path("output", output)
    if any(entry.path == STDIN or (entry.copied and not is_address(entry.path)) for entry in texts.listing):
        raise ParameterError(
            "output: expected files, found standard input or a pipe, which has no name for a new file; leave the "
            "output out, and take the texts that are printed"
        )
    folders = [("the input folder", folder) for folder in texts.listing.folders]
    refuse_overlap(output, [*(("the input", entry.source) for entry in texts.listing), *folders, *others])
    check_free(output)
    check_writable(output)


def passages_unused(report: str | Path | Report) -> str:
    """Return what an apply leaves as it was, in words: repeats inside paragraphs, and texts with passages.

    Return "" if there is none.
    """
    opened = report if isinstance(report, Report) else Report.open(report, verify=False)
    if opened.kind == "repeats":
        return left_whole(opened.table("spans", ["paragraphs"]).column("paragraphs").to_numpy())
    quoting = opened.summary.get("quoting") or 0
    if not quoting:
        return ""
    return (
        f"{counted(quoting, 'text')} with passages: apply removes texts for their pairs only; to remove or cut these, "
        "search in Python (Matches.filter, Matches.cut)"
    )


def apply_rows(
    texts: FileTexts, kept: npt.NDArray[np.bool_], output: str | Path, *, threads: int, stages: Progress
) -> Applied:
    """Write new files into the folder `output`, with the records of some texts: `kept`, one bool per text.

    They are written as `apply_report` writes them. `check_rows_output` must have been called before.
    """
    entries = list(texts.listing)
    files, records = texts.locate(np.arange(len(texts), dtype=np.int64))
    starts = np.searchsorted(files, np.arange(len(entries) + 1))
    unread: dict[str, list[int | None]] = {}
    for reject in texts.rejects:
        unread.setdefault(reject.file, []).append(reject.line)
    names = _names(_named(entries))
    column, none = texts.text_column or COLUMN, np.empty((0, 4), dtype=np.int64)
    with whole_folder(output) as new:
        advance = stages.stage("apply", len(entries))

        def work(number: int) -> Counts:
            entry, own = entries[number], slice(starts[number], starts[number + 1])
            lines = unread.get(entry.path, [])
            rejected = sorted_unique(np.array([line for line in lines if line is not None], dtype=np.int64))
            count = int(starts[number + 1] - starts[number])
            end = last_read(entry.format, count, rejected)
            removed = records[own][~kept[own]]
            verdict = Verdict(entry.path, column, removed, rejected, none, None, "document", end)
            path = new / names[number]
            path.parent.mkdir(parents=True, exist_ok=True)
            known = Input(
                entry.path, "texts", entry.format, entry.compression, entry.size, count, len(lines), entry.mtime_ns
            )
            return _write(known, entry, path, verdict)

        total, written = Counts(0, 0), 0
        for number, counts in enumerate(map_blocks(work, range(len(entries)), threads)):
            total, written = total.plus(counts), written + (new / names[number]).exists()
            advance(number + 1)
        _sweep_empty(new)
    return Applied(written, total.kept, total.removed, len(texts.rejects), 0)


def _write(known: Input, entry: Entry, path: Path, verdict: Verdict) -> Counts:
    """Write the kept records of one file. Raise `InputError` if their number is not the one in the report."""
    if not known.records and known.rejected:
        return Counts(0, 0)  # none of its records could be read
    counts = REWRITE[entry.format](entry, path, verdict)
    if not entry.copied:
        check_file(entry.source, entry.size, entry.mtime_ns)
    cut = len(set(verdict.cuts[:, 0].tolist()))
    removed = 0 if verdict.notes is not None else len(verdict.removed)
    expected = Counts(known.records - removed, removed, cut)
    if counts != expected:
        raise InputError(
            f"{entry.path}: expected {expected.kept:,} records to keep and {expected.removed:,} to remove, found "
            f"{counts.kept:,} and {counts.removed:,}: the file is not the one that was searched; search it again"
        )
    return counts


def _check_kind(report: Report, *, annotate: bool) -> None:
    if "decisions.parquet" not in report.files:
        raise ParameterError(
            f"report: expected decisions.parquet in {report.folder}, found a report of repeats without it, of an "
            "earlier version; search again"
        )
    unit = report.options.get("unit", "document") if report.kind != "repeats" else "repeat"
    if annotate and unit != "document":
        raise ParameterError(
            f"annotate: expected a report of documents, found one of {unit}s; the decision about each {unit} is in "
            "decisions.parquet of the report"
        )


def _named(entries: list[Entry]) -> list[str]:
    """Return the paths by which files are named: of a copy, that of what was copied."""
    return [os.path.abspath(entry.path if entry.copied else entry.source) for entry in entries]


def _names(sources: list[str]) -> list[str]:
    """Return the name of each new file: the path of its source, relative to the common parent folder of all."""
    root = os.path.commonpath([os.path.dirname(source) for source in sources])
    return [os.path.relpath(source, root) for source in sources]


def _check_replaced(output: Path, names: set[str]) -> None:
    """Raise `ParameterError` if the folder to be replaced contains a file that would not be written again."""
    if not output.is_dir():
        return
    for where, _, files in os.walk(output):
        for file in files:
            path = os.path.relpath(os.path.join(where, file), output)
            if path not in names:
                raise ParameterError(
                    f"output: expected a folder of an earlier apply to overwrite, found {path} in {output}, which "
                    "would not be written again; choose another folder"
                )


def _sweep_empty(folder: Path) -> None:
    """Remove the folders into which nothing was written."""
    for where, _, _ in os.walk(folder, topdown=False):
        if where != str(folder) and not any(Path(where).iterdir()):
            os.rmdir(where)
