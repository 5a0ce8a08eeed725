"""``dedup show``: how it begins, how it ends, and what it says if it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main
from tests import corpora

ROOT = str(Path(dedup.__file__).parents[1])


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Give the report of a search of a file."""
    lines = [json.dumps({"text": text}) + "\n" for text in corpora.families(count=4, size=3)]
    (tmp_path / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
    dedup.write_report(tmp_path / "report", dedup.find_duplicates(dedup.files(tmp_path / "texts.jsonl"), threshold=0.5))
    return tmp_path / "report"


@contextmanager
def shown(report: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the server; give the process and its address."""
    command = [sys.executable, "-m", "dedup", "show", str(report), "--no-browser", *options]
    paths = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
    how = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": {**os.environ, "PYTHONPATH": paths},
    }
    with subprocess.Popen(command, **how) as server:  # type: ignore[call-overload]
        assert server.stdout
        try:
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_how_it_ends(sent: signal.Signals, code: int, report: Path) -> None:
    """Ctrl-C is its ordinary end, also while it answers; it says nothing more."""
    with shown(report) as (server, address):
        with urllib.request.urlopen(address, timeout=20) as page:
            assert b"Content-Security-Policy" in page.read()
        server.send_signal(sent)
        assert code == server.wait(20)
        assert server.stderr
        assert "Traceback" not in server.stderr.read()


def test_two_servers(report: Path) -> None:
    """Each has its own port and token; a port that is taken is an error that says so."""
    with shown(report) as (_, one), shown(report) as (_, other):
        assert one.split("/")[2:4] != other.split("/")[2:4]
        port = one.split(":")[2].split("/")[0]
        refused = CliRunner().invoke(main, ["show", str(report), "--no-browser", "--port", port])
        assert f"127.0.0.1:{port}" in refused.output


def test_inputs_that_are_gone(report: Path) -> None:
    """The list is shown, and the page says which file it does not find; the file of a page is not written."""
    (report.parent / "texts.jsonl").rename(report.parent / "moved.jsonl")
    with shown(report) as (_, address):
        for _ in range(200):
            with urllib.request.urlopen(f"{address}progress", timeout=20) as found:
                failed = json.load(found)["failed"]
            if failed:
                break
            time.sleep(0.05)
        assert "texts.jsonl: expected the file that was searched, found none" in failed
        with urllib.request.urlopen(f"{address}window?first=0&last=9", timeout=20) as found:
            assert {None} == {row["title"] for row in json.load(found)}
    refused = CliRunner().invoke(main, ["show", str(report), "--html", str(report.parent / "page.html")])
    assert "found none" in refused.output
    assert not (report.parent / "page.html").exists()
