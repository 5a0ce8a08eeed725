"""Searches of files by the commands: with a report in the end, and, for `dedup find`, one that can be taken up again.

Where one is stopped, what was committed to the work directory stays, and the message says where that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dedup.corpus.collection import FileTexts
from dedup.corpus.folders import check_free, refuse_overlap
from dedup.corpus.run import FileRun, find_in_files
from dedup.duplicates import Duplicates
from dedup.inputs import Inputs
from dedup.matches import Matches
from dedup.progress import Heartbeats
from dedup.repeated import Repeats

__all__ = ["check_output", "search_files", "write_output"]


def search_files(
    names: tuple[str, ...],
    inputs: Inputs,
    *,
    output: str | None,
    log_json: bool,
    threads: int | None,
    **options: Any,
) -> Duplicates:
    """Search files, and write the report if an `output` folder is named; `options` are those of `find_in_files`."""
    asked = {name: options[name] for name in ("keep", "recall", "id", "format")}

    def write(run: FileRun, seconds: Mapping[str, float]) -> None:
        if output is None:
            return
        from dedup.corpus.report import write_report

        spent = {stage: round(value, 3) for stage, value in seconds.items()}
        write_report(
            output,
            run.duplicates,
            listing=run.listing,
            rejects=run.rejects,
            run={"seconds": spent, "threads": threads},
            options=asked,
            replace=run.resumed,
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
    inputs.tell_unread(run.listing, options["column"])
    return run.duplicates


def check_output(output: str | None, *sides: FileTexts) -> None:
    """Refuse a folder that cannot take a report, before the search."""
    if output is not None:
        refuse_overlap(output, [("the input", entry.source) for texts in sides for entry in texts.listing])
        check_free(output)


def write_output(output: str | None, result: Matches | Repeats, **options: Any) -> None:
    """Write the report of a search if a folder is named for it."""
    if output is not None:
        from dedup.corpus.report import write_report

        write_report(output, result, options=options)
