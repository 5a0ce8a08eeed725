"""One session of Spark for all tests. They are skipped where pyspark or Java are missing.

`DEDUP_SPARK_MASTER` names another master than ``local[2,4]``, such as ``local-cluster[2,1,1024]``.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup

MASTER = os.environ.get("DEDUP_SPARK_MASTER", "local[2,4]")  # a task may fail three times


@pytest.fixture(scope="session")
def java() -> None:
    """Skip a test without pyspark or Java; make this Python and this library those of the workers."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("there is no Java")
    root = str(Path(dedup.__file__).parent.parent)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))


@pytest.fixture(scope="session")
def spark(java: None) -> Iterator[Any]:
    """Give a session."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master(MASTER)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
