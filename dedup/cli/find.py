"""Searches of files by the commands: with a report in the end, and, for `dedup find`, one that can be taken up again.

Where one is stopped, what was committed to the work directory stays, and the message says where that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dedup import __version__
from dedup.cli.ending import say_json, tell
from dedup.cli.inputs import Inputs
from dedup.options import check_path
from dedup.pipelines.find_files import FileRun, find_in_files
from dedup.report.read import Report
from dedup.report.standing import ASKED, standing_report
from dedup.report.write import write_report
from dedup.results.duplicates import Duplicates
from dedup.results.matches import Matches
from dedup.results.repeats import Repeats
from dedup.runtime.progress import Heartbeats
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.rejects import Reject
from dedup.storage.folders import refuse_overlap
from dedup.terminal import clean

__all__ = ["check_output", "search_files", "show_report", "write_output"]


def search_files(
    names: tuple[str, ...],
    inputs: Inputs,
    *,
    output: str | None,
    log_json: bool,
    threads: int | None,
    **options: Any,
) -> Duplicates | Report:
    """Search files, and write the report if an `output` folder is named; `options` are those of `find_in_files`.

    Return what was found, or the report of this very search, where it stands already.
    """
    asked = {name: options[name] for name in ("keep", "recall", "id", "format")}

    def write(run: FileRun, seconds: Mapping[str, float]) -> None:
        if output is None:
            return
        spent = {stage: round(value, 3) for stage, value in seconds.items()}
        write_report(
            output,
            run.duplicates,
            listing=run.listing,
            rejects=run.rejects,
            run={"seconds": spent, "threads": threads, ASKED: run.asked},
            options=asked,
        )

    progress = Heartbeats() if log_json else None
    run = find_in_files(
        names,
        output=output,
        threads=threads,
        errors=inputs.errors,
        tell=inputs.tell,
        progress=progress,
        write=write,
        **options,
    )
    if isinstance(run, Report):
        return run
    inputs.tell_unread(run.listing, options["column"])
    return run.duplicates


def check_output(output: str | None, asked: Mapping[str, Any], *sides: FileTexts) -> Report | None:
    """Refuse a folder that cannot take a report, before the search; return the report of this search that is there.

    `asked` are the options on which the report depends.
    """
    if output is None:
        return None
    output = check_path("output", output)
    refuse_overlap(output, [("the input", entry.source) for texts in sides for entry in texts.listing])
    named = zip(("texts", "against"), sides, strict=False)
    return standing_report(
        output, _with_version(asked), [(side, file) for side, texts in named for file in texts.listing]
    )


def write_output(output: str | None, result: Matches | Repeats, asked: Mapping[str, Any], **options: Any) -> None:
    """Write the report of a search if a folder is named for it."""
    if output is not None:
        write_report(output, result, options=options, run={ASKED: _with_version(asked)})


def _with_version(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {**asked, "version": __version__}


def show_report(report: Report, inputs: Inputs, *, as_json: bool) -> bool:
    """Say that the report of a search stands already, and print what it holds as the search would have.

    Return whether it holds anything.
    """
    tell(f"dedup: the report of this search stands in {clean(report.folder)} already; nothing was left to do")
    for reject in report.rejects() if report.kind == "find" else ():  # the others have read their texts by now
        inputs.tell(Reject(**reject))
    names = {"find": ("clusters",), "repeats": ("spans",)}.get(report.kind, ("pairs", "spans"))
    rows = 0
    for name in names:
        if f"{name}.parquet" not in report.files:
            continue
        table = report.table(name)
        rows += table.num_rows
        kind = {"pairs": {"kind": "pair"}, "spans": {"kind": "passage"}}.get(name, {}) if report.kind == "match" else {}
        for row in table.to_pylist() if as_json else ():
            say_json({**kind, **row})
    return rows > 0
