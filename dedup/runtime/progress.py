"""Progress of a run: a bar on a terminal or in a notebook after one second, JSON lines, a function, or nothing.

Beside it, stages are logged by `logging` under the name "dedup", at the level INFO: each when it is over, with its
seconds, and long ones from time to time. Who does not ask for that level pays nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dedup.options import ProgressOption, check_progress
from dedup.runtime.bars import Bar, NotebookBar, TerminalBar, in_notebook

__all__ = ["Heartbeats", "Progress", "ProgressOption", "quiet"]

DELAY = 1.0
"""Seconds before a bar appears, so that short runs print nothing."""

LOGGED_EVERY = 30.0
"""Seconds between two lines of the log about a stage that is not over."""

LOG = logging.getLogger("dedup")


class Progress:
    """Report (stage, done, total) of a run. Use it with ``with``: then the bar is removed at the end and on Ctrl-C.

    `option` is None (a bar if stderr is a terminal, or in a notebook), True (a bar), False (nothing) or a function.
    """

    def __init__(self, option: ProgressOption) -> None:
        option = check_progress(option)
        self._function = option if callable(option) else None
        shown = (
            option if isinstance(option, bool) else in_notebook() or (sys.stderr is not None and sys.stderr.isatty())
        )
        self._shown = shown and self._function is None
        self._logged = LOG.isEnabledFor(logging.INFO)
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self.seconds: dict[str, float] = {}
        self._stage: tuple[str, float, Callable[[], None]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end_stage()
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str, total: int) -> Callable[[int], None]:
        """Begin a stage of `total` steps; return the function to call with the number of steps done.

        `total` may be an estimate. If more steps are done, it grows with them.
        """
        self.end_stage()
        begun = told = time.monotonic()

        def report(done: int) -> None:
            nonlocal total, told
            total = max(total, done)
            if self._logged and (now := time.monotonic()) - told > LOGGED_EVERY:
                told = now
                LOG.info("%s: %s of %s after %.0f s", name, f"{done:,}", f"{total:,}", now - begun)
            if self._function is not None:
                self._function(name, done, total)
            elif self._shown and time.monotonic() - self._started > DELAY:
                self._draw(name, done, total)

        report(0)
        self._stage = (name, begun, lambda: report(total))
        return report

    def end_stage(self) -> None:
        """End the stage that runs, if any: what follows belongs to none."""
        if self._stage is not None:
            name, started, complete = self._stage
            complete()
            spent = time.monotonic() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            if self._logged:
                LOG.info("%s: done in %.2f s", name, spent)
            self._stage = None

    def log(self, message: str, *parts: object) -> None:
        """Log what happened beside the stages, at the level INFO."""
        if self._logged:
            LOG.info(message, *parts)

    def _draw(self, name: str, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = NotebookBar() if in_notebook() else TerminalBar()
        self._bar.draw(name, done, total)


def quiet(option: object) -> bool:
    """Return whether `Progress` would tell nothing of a run that is over at once."""
    return (option is None or option is False) and not LOG.isEnabledFor(logging.INFO)


class Heartbeats:
    """A function for `Progress` that writes JSON lines to stderr: at least one per stage, and one every few seconds.

    Each has stage, done, total, seconds (since the run began), rate (per second, in this stage), remaining (seconds).
    """

    EVERY = 5.0
    """Seconds between two lines of a stage."""

    def __init__(self) -> None:
        self._began = self._written = self._entered = time.monotonic()
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Write a line, if it is time for one."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._entered = stage, now
        elif done < total and now - self._written < self.EVERY:
            return
        self._written = now
        spent = now - self._entered
        rate = done / spent if spent > 0 and done else None
        line = {
            "stage": stage,
            "done": done,
            "total": total,
            "seconds": round(now - self._began, 1),
            "rate": None if rate is None else round(rate, 1),
            "remaining": None if rate is None else round(max(total - done, 0) / rate, 1),
        }
        with contextlib.suppress(OSError):  # a run must not end because stderr cannot be written
            print(json.dumps(line), file=sys.stderr, flush=True)
