"""The bar: when there is one, what it shows, and that it goes away; in a notebook too."""

from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dedup
from dedup.runtime import bars, progress
from dedup.runtime.bars import NotebookBar, in_notebook
from dedup.runtime.progress import Progress


class Notebook:
    """What a kernel shows under a cell: each state of each display."""

    def __init__(self) -> None:
        self.states: list[dict[str, str]] = []
        self.broken = False

    def display(self, shown: dict[str, str], *, raw: bool, display_id: bool) -> Notebook:
        """Show something, as `IPython.display.display` does."""
        assert raw
        assert display_id
        self.update(shown, raw=raw)
        return self

    def update(self, shown: dict[str, str], *, raw: bool) -> None:
        """Show something in its place."""
        assert raw
        if self.broken:
            raise ConnectionError("the browser has gone")
        self.states.append(shown)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Give the kernel of a notebook; bars begin at once, and are updated at every step."""
    found = Notebook()
    kernel = ModuleType("IPython")
    shown = ModuleType("IPython.display")
    vars(kernel).update(get_ipython=lambda: SimpleNamespace(kernel=object()), display=shown)
    vars(shown).update(display=found.display)
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    # the second before a bar appears, and the pause between two updates, are those of the user's clock
    monkeypatch.setattr(progress, "DELAY", -1.0)
    monkeypatch.setattr(bars, "UPDATE_SECONDS", 0.0)
    return found


TEXTS = [f"the text number {number // 2} of a small collection" for number in range(20)]


@pytest.mark.parametrize("option", [None, True])
def test_a_notebook_shows_each_stage(
    option: bool | None, notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each stage that has begun, in HTML and in words; nothing on the streams; in the end nothing is left."""
    dedup.find_duplicates(TEXTS, progress=option)
    *states, last = notebook.states
    assert {"text/html": "", "text/plain": ""} == last
    names = list(dedup.find_duplicates(TEXTS, progress=False).timings)
    rows = [line.split(" ")[0] for line in states[-1]["text/plain"].splitlines()]
    assert rows == [name.split(" ")[0] for name in names]
    assert states[-1]["text/html"].count("<tr>") == len(names)
    for state in states:
        shares = [float(share) for share in re.findall('value="([^"]*)"', state["text/html"])]
        assert shares
        assert all(0 <= share <= 1 for share in shares)
    assert ("", "") == tuple(capsys.readouterr())


def test_a_notebook_that_shows_nothing(notebook: Notebook) -> None:
    """With False there is no bar, with a function that is called instead."""
    seen: list[Any] = []
    dedup.find_duplicates(TEXTS, progress=False)
    dedup.find_duplicates(TEXTS, progress=lambda *step: seen.append(step))
    assert seen
    assert [] == notebook.states


def test_a_browser_that_has_gone(notebook: Notebook) -> None:
    """The run goes on."""
    notebook.broken = True
    assert 10 == len(dedup.find_duplicates(TEXTS))


def test_an_interrupted_run_leaves_nothing(notebook: Notebook) -> None:
    """The rows go away if the user interrupts the kernel."""
    with pytest.raises(KeyboardInterrupt), Progress(None) as stages:
        stages.stage("read", 10)(5)
        raise KeyboardInterrupt
    assert notebook.states[-2]["text/plain"].startswith("read 50 %")
    assert "" == notebook.states[-1]["text/html"]


def test_names_are_no_markup(notebook: Notebook) -> None:
    """A stage may be called anything, and have no steps."""
    bar = NotebookBar()
    bar.draw("<b>", 0, 0)
    bar.stop()
    assert "&lt;b&gt;" in notebook.states[0]["text/html"]
    assert "100 %" in notebook.states[0]["text/html"]


def test_ipython_without_a_kernel_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, and where IPython is not loaded, the bar is that of a terminal."""
    kernel = ModuleType("IPython")
    vars(kernel).update(get_ipython=lambda: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    assert not in_notebook()
    vars(kernel).update(get_ipython=lambda: None)
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It has the stages."""
    monkeypatch.setattr(progress, "DELAY", -1.0)  # the second before it appears
    monkeypatch.setenv("FORCE_COLOR", "1")
    dedup.find_duplicates(TEXTS, progress=True)
    assert "join" in capsys.readouterr().err
