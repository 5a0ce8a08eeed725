"""A standalone cluster on this machine, started by the commands of the documents."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import dedup
from tests.distributed.spark_answers import table_of
from tests.distributed.test_stages import versions

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "how-to" / "search-on-a-cluster.md"
PATIENCE = 120
"""Seconds until a daemon must have said that it runs."""


def commands(port: int) -> tuple[list[str], str]:
    """Give the three commands that start a cluster, and the one that submits a program, with another port."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.replace("7077", str(port)) for block in blocks for line in block.splitlines()]
    starting = [line.removesuffix(" &") for line in lines if line.startswith("spark-class")]
    submitting = [line for line in lines if line.startswith("spark-submit")]
    assert (len(starting), len(submitting)) == (3, 1)
    return starting, submitting[0]


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def cluster(starting: list[str], folder: Path) -> Iterator[dict[str, str]]:
    """Start daemons, and end them."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "SPARK_WORKER_DIR": str(folder), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {"SPARK_MASTER_WEBUI_PORT": "0", "SPARK_WORKER_WEBUI_PORT": "0"}
    daemons = []
    try:
        for number, command in enumerate(starting):
            log = folder / f"daemon-{number}.log"
            with log.open("w") as out:
                daemon = subprocess.Popen(
                    command, shell=True, env=environment, stdout=out, stderr=out, start_new_session=True
                )
            daemons.append(daemon)
            said = "I have been elected leader|Successfully registered with master"
            ended = time.monotonic() + PATIENCE
            while not re.search(said, log.read_text()):
                assert daemon.poll() is None, log.read_text()
                assert time.monotonic() < ended, log.read_text()
                time.sleep(0.2)
        yield environment
    finally:
        for daemon in daemons:
            with suppress(ProcessLookupError):
                os.killpg(daemon.pid, signal.SIGTERM)
        for daemon in daemons:
            daemon.wait()


def test_three_commands_start_a_cluster_that_gives_the_answer_of_one_machine(java: None, tmp_path: Path) -> None:
    if not PAGE.is_file():
        pytest.skip("the documents are not beside the tests")
    table = table_of(versions(5, 200, 20))
    (tmp_path / "corpus").mkdir()
    for number in range(4):
        pq.write_table(table.slice(50 * number, 50), tmp_path / "corpus" / f"{number}.parquet")
    starting, submitting = commands(free_port())
    script = ROOT / "docs" / "examples" / "find_on_spark.py"
    submitting = submitting.replace("docs/examples/find_on_spark.py corpus kept", f"{script} corpus kept")
    assert str(script) in submitting
    with cluster(starting, tmp_path) as environment:
        done = subprocess.run(
            submitting, shell=True, env=environment, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=500
        )
    assert done.returncode == 0, done.stderr[-4000:]
    here = dedup.find_duplicates(table, id="id")
    assert done.stdout.strip() == str(here.summary)
    kept = pq.read_table(tmp_path / "kept").sort_by("id")
    assert kept.column("id").to_pylist() == here.kept.to_pylist()
    assert len(here.removed) > 0
