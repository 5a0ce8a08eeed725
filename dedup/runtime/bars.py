"""The bars that show how far a run is: on a terminal, and in a notebook.

A notebook's kernel has no terminal: what is written there cannot be written over. So the bar is a display that is
updated, of plain HTML, which needs no widgets and no script. It is seen in Jupyter, VS Code and Colab alike. At the end
both kinds of bar go away.
"""

from __future__ import annotations

import contextlib
import html
import sys
import time
from typing import Any, Protocol

__all__ = ["Bar", "NotebookBar", "TerminalBar", "in_notebook"]

UPDATE_SECONDS = 0.2
"""Seconds between two updates of a bar in a notebook: each is a message to the browser."""


class Bar(Protocol):
    """What shows the stages of a run."""

    def draw(self, name: str, done: int, total: int) -> None:
        """Show that so much of a stage is done."""

    def stop(self) -> None:
        """Remove what is shown."""


def in_notebook() -> bool:
    """Return whether this is the kernel of a notebook. IPython is not imported for it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def rate_of(speed: float | None) -> str:
    """Return steps a second, in words.

    >>> rate_of(1234567.0), rate_of(12.3), rate_of(None)
    ('1.2 M/s', '12 /s', '')
    """
    if not speed or speed < 1:
        return ""
    return f"{speed / 1e6:,.1f} M/s" if speed > 1e6 else f"{speed:,.0f} /s"


class TerminalBar:
    """A bar for each stage, on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._shown = Progress(*columns, console=Console(stderr=True, force_jupyter=False), transient=True)
        self._tasks: dict[str, Any] = {}
        self._shown.start()

    def draw(self, name: str, done: int, total: int) -> None:
        """Show that so much of a stage is done."""
        if name not in self._tasks:
            self._tasks[name] = self._shown.add_task(name, total=total, rate="")
        task = self._shown.tasks[self._tasks[name]]
        self._shown.update(self._tasks[name], completed=done, total=total, rate=rate_of(task.speed))

    def stop(self) -> None:
        """Remove the bars."""
        self._shown.stop()


class NotebookBar:
    """A row for each stage, under the cell that runs."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, int, float]] = {}  # done, total, when
        self._began: dict[str, tuple[int, float]] = {}
        self._updated = 0.0
        self._display: Any = None

    def draw(self, name: str, done: int, total: int) -> None:
        """Show that so much of a stage is done, if it is time for an update."""
        now = time.monotonic()
        self._began.setdefault(name, (done, now))
        self._rows[name] = done, total, now
        if now - self._updated >= UPDATE_SECONDS:
            self._updated = now
            self._show(self._rows_shown())

    def stop(self) -> None:
        """Remove the rows."""
        if self._display is not None:
            self._show({"text/html": "", "text/plain": ""})

    def _show(self, shown: dict[str, str]) -> None:
        with contextlib.suppress(Exception):  # a run must not end because nobody looks at it any more
            if self._display is None:
                from IPython.display import display

                self._display = display(shown, raw=True, display_id=True)
            else:
                self._display.update(shown, raw=True)

    def _rows_shown(self) -> dict[str, str]:
        """Return the rows as HTML, and as text for what shows no HTML."""
        rows, lines = [], []
        for name, (done, total, at) in self._rows.items():
            before, began = self._began[name]
            speed = (done - before) / (at - began) if at > began else 0.0
            share = done / total if total else 1.0
            left = f"{(total - done) / speed:,.0f} s left" if speed and done < total else ""
            said = [f"{100 * share:.0f} %", rate_of(speed), left]
            cells = "".join(f"<td>{html.escape(each)}</td>" for each in said)
            bar = f'<td><progress value="{share:.3f}" max="1"></progress></td>'
            rows.append(f"<tr><td>{html.escape(name)}</td>{bar}{cells}</tr>")
            lines.append(" ".join(filter(None, [name, *said])))
        return {"text/html": f"<table>{''.join(rows)}</table>", "text/plain": "\n".join(lines)}
