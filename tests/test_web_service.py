"""The web service of the documents, as it is started there: workers and a writer, asked over loopback by many."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import dedup

ROOT = Path(dedup.__file__).parent.parent
EXAMPLE = ROOT / "docs" / "examples" / "seen_service.py"

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytestmark = [
    pytest.mark.skipif(not EXAMPLE.exists(), reason="the documents are not beside the tests"),
    pytest.mark.skipif(os.name == "nt", reason="processes are ended by SIGTERM"),
]


def post(port: int, path: str, text: str) -> Any:
    """Send a text, and give the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body=text.encode())
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 202), body
        return json.loads(body)
    finally:
        connection.close()


def text_of(number: int) -> str:
    """Give a text of its own."""
    return " ".join(f"w{number}x{k}" for k in range(30))


def until(condition: Any, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Say whether the service is there."""
    try:
        post(port, "/ask", "")
    except OSError:
        return False
    return True


def test_many_ask_while_texts_are_remembered(tmp_path: Path) -> None:
    """Each answer is right at once, or some moments later; a writer that is killed goes on, and loses nothing."""
    with dedup.Index.create(tmp_path / "seen.index") as index:
        index.add({f"old {number}": text_of(number) for number in range(20)})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SEEN_INDEX": str(tmp_path / "seen.index"),
        "SEEN_SPOOL": str(tmp_path / "spool"),
    }
    serve = ["-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "seen_service:app", "--workers", "2"]
    serve += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    service = subprocess.Popen([sys.executable, *serve], env=environment)
    writer = subprocess.Popen([sys.executable, str(EXAMPLE)], env=environment)
    try:
        until(lambda: answers(port))

        def visit(number: int) -> None:
            """Ask about an old text and an unknown one, give a new one, and ask until it is found."""
            old = number % 20
            assert {"seen": True, "id": f"old {old}", "similarity": 1.0} == post(port, "/ask", text_of(old).upper())
            assert {"seen": False} == post(port, "/ask", text_of(10_000 + number))
            name = f"new {number}"
            assert {"id": name} == post(port, f"/remember?id=new%20{number}", text_of(100 + number))
            until(lambda: post(port, "/ask", text_of(100 + number)) == {"seen": True, "id": name, "similarity": 1.0})

        with ThreadPoolExecutor(8) as visitors:
            list(visitors.map(visit, range(24)))
            writer.kill()
            writer.wait()
            kept = [visitors.submit(visit, 100 + number) for number in range(8)]
            time.sleep(0.5)
            writer = subprocess.Popen([sys.executable, str(EXAMPLE)], env=environment)
            for each in kept:
                each.result()
        writer.send_signal(signal.SIGTERM)
        assert 0 == writer.wait(30)
    finally:
        for process in (service, writer):
            process.terminate()
            process.wait(30)
    with dedup.Index.open(tmp_path / "seen.index") as index:
        assert 20 + 24 + 8 == len(index)
        assert index.check().ok
    assert [] == list((tmp_path / "spool").iterdir())
