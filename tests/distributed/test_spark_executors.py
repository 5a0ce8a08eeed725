"""Executors that are killed: processes of Java, with all that they held of shuffles, in the middle of every stage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from tests.distributed.spark_answers import ALL_STAGES, LONG, subsets, table_of
from tests.distributed.test_stages import versions

pytest.importorskip("pyspark", reason="pyspark is not installed")

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys
from pyspark.sql import SparkSession
import dedup.spark
from dedup.spark import engine
from tests.distributed.test_spark_executors import killing

builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
builder = builder.config("spark.task.maxFailures", "20").config("spark.stage.maxConsecutiveAttempts", "20")
spark = builder.config("spark.executorEnv.PYTHONPATH", sys.argv[4]).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
engine.running = killing(sys.argv[2], sys.argv[5].split(","))
found = dedup.spark.find_duplicates(spark.read.parquet(sys.argv[1]), id="id", shingle="words:1", partitions=2)
import pyarrow.parquet as pq
pq.write_table(found._found.pairs, sys.argv[3] + "-pairs")
pq.write_table(found._found.clusters, sys.argv[3] + "-clusters")
spark.stop()
"""


def parent_of(pid: int) -> int:
    """Give the process that started another one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def killing(folder: str, stages: list[str]) -> Any:
    """Give what runs stages in workers; the first attempt at each of some kills the executor in which it runs."""

    def running(stage: Any) -> Any:
        name = type(stage).__name__

        def run(batches: Any) -> Any:
            batches = list(batches)
            mark = os.path.join(folder, name)
            if batches and name in stages and not os.path.exists(mark):
                list(stage(iter(batches)))
                executor = parent_of(os.getppid())  # that of the daemon of Python workers
                command = Path(f"/proc/{executor}/cmdline").read_bytes()
                assert b"CoarseGrainedExecutorBackend" in command, command
                Path(mark).touch()
                os.kill(executor, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            return stage(iter(batches))

        return run

    return running


GROUPS = [ALL_STAGES[:5], ALL_STAGES[5:9], ALL_STAGES[9:]]


@LONG
@pytest.mark.parametrize("stages", GROUPS, ids=",".join)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell who started a process")
def test_an_executor_that_is_killed_in_each_stage_changes_nothing(
    java: None, tmp_path: Path, stages: tuple[str, ...]
) -> None:
    table = table_of([*subsets(12), *versions(6, 60, 6)])
    (tmp_path / "corpus").mkdir()
    (tmp_path / "killed").mkdir()
    for number in range(4):
        each = -(-len(table) // 4)
        pq.write_table(table.slice(number * each, each), tmp_path / "corpus" / f"{number}.parquet")
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        str(tmp_path / "corpus"),
        str(tmp_path / "killed"),
        str(tmp_path / "found"),
    ]
    done = subprocess.run(
        [*command, os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]), ",".join(stages)],
        capture_output=True,
        encoding="utf-8",
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    here = dedup.find_duplicates(table, id="id", shingle="words:1")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == sorted(stages)
    for name, expected in (("pairs", here.pairs), ("clusters", here.clusters)):
        found = pq.read_table(f"{tmp_path}/found-{name}")
        assert isinstance(found, pa.Table)
        assert found.equals(expected)
