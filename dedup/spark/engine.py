"""The engine: stages run on Spark, a shuffle by part, and a work folder from which a search is taken up again."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dedup.distributed.job import Stage, library_version
from dedup.errors import InputError, ParameterError, StorageError
from dedup.runtime.progress import Progress

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["NEEDS", "KeepingEngine", "SparkEngine", "running", "spark_schema", "spark_type"]

SPARED_TASKS = 3
"""Tasks of a worker, in which most modules are loaded."""

_tasks = itertools.count()

LONGEST_ASKED = 200
"""Characters. Of a longer value the work folder has the digest."""

NEEDS = "pip install 'pyspark>=4.1,<5' 'pandas>=2.2,<3'"
"""What to do if something is missing."""


def spark_type(kind: pa.DataType) -> str:
    """Return the name of the type of ids in Spark."""
    import pyarrow as pa

    return "bigint" if pa.types.is_integer(kind) else "string"


def spark_schema(schema: pa.Schema) -> Any:
    """Return a schema of Arrow as one of Spark."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def running(stage: Any) -> Any:
    """Return a stage as a plain function, which Spark asks for."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        spare_modules()
        return stage(batches)  # type: ignore[no-any-return]

    return run


def spare_modules() -> None:
    """Set the objects of loaded modules apart from Python's collector of cycles, in the first tasks of a worker.

    Spark's worker runs that collector after each task. It looks at the objects of all modules each time, which took
    longer than most of our tasks.
    """
    if next(_tasks) < SPARED_TASKS:
        gc.freeze()


class SparkEngine:
    """Runs stages on Spark (`dedup.distributed.job.Engine`)."""

    def __init__(self, spark: SparkSession, tasks: int, stages: Progress) -> None:
        self._spark, self._tasks, self._stages, self._name = spark, tasks, stages, ""
        self._done = 0

    def map(self, data: DataFrame, stage: Stage, name: str) -> DataFrame:
        """Return what a stage makes of the data, when it is needed."""
        self._name = name
        return data.mapInArrow(running(stage), spark_schema(stage.schema))

    def shuffle(self, data: DataFrame) -> DataFrame:
        """Return the data with all rows of one part together."""
        return data.repartitionById(self._tasks, "part").sortWithinPartitions("part")

    def hold(self, data: DataFrame) -> DataFrame:
        """Return the data, kept in memory or on the disks of the workers once they are made."""
        return data.persist()

    def drop(self, data: DataFrame) -> None:
        """Let held data go."""
        data.unpersist()

    def collect(self, data: DataFrame) -> Iterator[pa.RecordBatch]:
        """Run a job, and yield the batches of its result."""
        from pyspark.errors import PySparkException

        report = self._stages.stage(self._name, 1)
        try:
            table = data.toArrow()
        except PySparkException as error:
            raise _told(error) from error
        report(1)
        return iter(table.to_batches())


class KeepingEngine(SparkEngine):
    """The same, with a work folder: the outcome of each job is a folder of Parquet files in it.

    A step is complete if its folder in ``done`` is. That is written last, and by itself.
    """

    def __init__(self, spark: SparkSession, tasks: int, stages: Progress, work: str, asked: dict[str, Any]) -> None:
        super().__init__(spark, tasks, stages)
        self._work, self._steps = work.rstrip("/"), 0
        asked = {name: _brief(str(value)) for name, value in asked.items()}
        try:
            found = self._read("asked")
            if found is None:
                self._write("asked", self._spark.createDataFrame([(json.dumps(asked),)], "asked string"))
                return
        except Exception as error:  # each file system has errors of its own
            raise StorageError(
                f"work: expected a folder that the driver and all workers can write to, found {work}: {_cause(error)}"
            ) from error
        known = json.loads(found.first()[0])
        differing = sorted(name for name in asked if known.get(name) != asked[name])
        if differing:
            raise ParameterError(
                f"work: expected an empty folder, or that of the same search, found in {work} that of another one; it "
                f"differs in {', '.join(differing)}; pass another folder, or delete it"
            )

    def hold(self, data: DataFrame) -> DataFrame:
        """Return the data, written to the folder."""
        return self._step(data)

    def drop(self, data: DataFrame) -> None:
        """Keep what was written, for the next run."""

    def collect(self, data: DataFrame) -> Iterator[pa.RecordBatch]:
        """Run a job unless its outcome is in the folder, and yield the batches of it."""
        return super().collect(self._step(data))

    def _step(self, data: DataFrame) -> DataFrame:
        self._steps += 1
        step = f"{self._steps:02}-{self._name}"
        found = self._read(f"done/{step}")
        if found is None:
            self._write(step, data)
            self._write(f"done/{step}", self._spark.createDataFrame([(step,)], "step string"))
        return self._spark.read.schema(data.schema).parquet(f"{self._work}/{step}")

    def _write(self, name: str, data: DataFrame) -> None:
        from pyspark.errors import PySparkException

        try:
            data.write.mode("overwrite").parquet(f"{self._work}/{name}")
        except PySparkException as error:
            raise _told(error) from error

    def _read(self, name: str) -> DataFrame | None:
        from pyspark.errors import AnalysisException

        try:
            found = self._spark.read.parquet(f"{self._work}/{name}")
            return found if len(found.head(1)) else None
        except AnalysisException:
            return None


def _brief(value: str) -> str:
    """Return a value, or its digest if it is long."""
    return value if len(value) <= LONGEST_ASKED else hashlib.sha256(value.encode()).hexdigest()


def _cause(error: Exception) -> str:
    """Return the last cause that an error of Java names, or else its first line."""
    causes = re.findall(r"^(?:Caused by)?: (.*)", str(error), re.MULTILINE)
    return str(causes[-1]) if causes else (str(error).splitlines() or [type(error).__name__])[0]


def _told(error: Exception) -> Exception:
    """Return the error of a worker as one of the driver: its own words, where it is one of ours."""
    message = str(error)
    for kind in (InputError, ParameterError):
        found = re.search(rf"^(?:dedup\.errors\.)?{kind.__name__}: (.*)$", message, re.MULTILINE)
        if found is not None:
            return kind(found[1])
    if re.search(r"ModuleNotFoundError: No module named '(dedup|pyarrow|numpy|xxhash|msgspec)'", message):
        return ParameterError("expected dedup-text on every worker, found a worker without it; install it there too")
    if re.search(r"(Error: .*module 'dedup|No module named 'dedup\.|cannot import name .* from 'dedup)", message):
        return ParameterError(
            f"expected dedup-text {library_version()} on every worker, as on the driver, found another version, which "
            "lacks a part; install the same version everywhere"
        )
    return error
