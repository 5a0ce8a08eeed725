"""The log of long runs: stages by `logging`, under the name "dedup"."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

import dedup
from dedup.options import ProgressOption
from dedup.pipelines.find_files import find_in_files
from dedup.runtime import progress

TEXTS = ["one two three four five six"] * 2


def test_stages_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each, when it is over, with its seconds."""
    with caplog.at_level(logging.INFO, logger="dedup"):
        result = dedup.find_duplicates(TEXTS, progress=False)
    said = [record.getMessage() for record in caplog.records if record.name == "dedup"]
    stages = [line.split(": done in ")[0] for line in said]
    assert list(result.timings) == list(dict.fromkeys(stages))
    assert all(line.endswith(" s") for line in said)


def test_a_resumed_run_says_so(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The log names the work directory, and how much of the stopped run is there."""
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))

    def stop(stage: str, _: int, __: int) -> None:
        if stage == "join":
            raise KeyboardInterrupt

    def search(progress: ProgressOption) -> None:
        find_in_files([tmp_path / "texts.txt"], format="lines", work_dir=tmp_path / "work", progress=progress)

    with caplog.at_level(logging.INFO, logger="dedup"):
        with pytest.raises(KeyboardInterrupt):
            search(stop)
        assert not [record for record in caplog.records if "resumed" in record.getMessage()]
        search(False)
    (said,) = [record.getMessage() for record in caplog.records if "resumed" in record.getMessage()]
    assert re.fullmatch(rf"resumed: \d+ parts of a stopped run are in {re.escape(str(tmp_path / 'work'))}", said)


def test_long_stages_are_logged_from_time_to_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far they are."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO, logger="dedup"), progress.Progress(False) as shown:
        report = shown.stage("join", 4000)
        for second in range(0, 70, 10):
            now[0] = float(second)
            report(second * 50)
    said = [record.getMessage() for record in caplog.records]
    assert ["join: 2,000 of 4,000 after 40 s", "join: done in 60.00 s"] == said


def test_without_a_listener_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is a line made."""
    with caplog.at_level(logging.WARNING, logger="dedup"):
        dedup.find_duplicates(TEXTS)
    assert not caplog.records
