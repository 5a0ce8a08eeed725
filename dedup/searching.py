"""`dedup find` over files: a search that can be stopped and taken up again, with a report in the end.

SIGTERM ends it as Ctrl-C does: what was committed to the work directory stays, and the message says where that is.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Mapping
from typing import Any

from dedup.corpus.report import write_report
from dedup.corpus.run import FileRun, find_in_files
from dedup.duplicates import Duplicates
from dedup.inputs import Inputs
from dedup.progress import Heartbeats

__all__ = ["search_files"]


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
    with terminable():
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
    return run.duplicates


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does, where signals can be caught."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt("terminated")

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
