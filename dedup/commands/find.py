"""`dedup find`: a search over files that can be stopped and taken up again, with a report in the end.

SIGTERM ends it as Ctrl-C does: what was committed to the work directory stays, and the message says where that is.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dedup.corpus.report import write_report
from dedup.corpus.run import FileRun, find_in_files
from dedup.progress import Heartbeats

__all__ = ["Terminated", "search_files"]


class Terminated(KeyboardInterrupt):
    """SIGTERM came; a command that it ends has exit code 143."""


def search_files(
    inputs: tuple[str, ...], *, output: str | None, log_json: bool, threads: int | None, **options: Any
) -> FileRun:
    """Search files, and write the report if an `output` folder is named; `options` are those of `find_in_files`."""

    def write(run: FileRun, seconds: Any) -> None:
        if output is None:
            return
        asked = {name: value for name, value in options.items() if name in ("keep", "recall", "seed")}
        write_report(
            output,
            run.duplicates,
            listing=run.listing,
            rejects=run.rejects,
            run={"seconds": {stage: round(value, 3) for stage, value in seconds.items()}, "threads": threads},
            options=asked,
            replace=run.resumed,
        )

    with terminable():
        return find_in_files(
            inputs,
            output=None if output is None else Path(output),
            threads=threads,
            progress=Heartbeats() if log_json else None,
            write=write,
            **options,
        )


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM into `Terminated`, where signals can be caught."""

    def stop(*_: object) -> None:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
