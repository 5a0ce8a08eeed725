"""Spark gives the answer of one machine. The tests are skipped where pyspark or Java are missing.

One session for all of them. `DEDUP_SPARK_MASTER` names another master than ``local[2,4]``, such as
``local-cluster[2,1,1024]``.
"""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import dedup
from dedup.errors import InputError, ParameterError
from tests.distributed.test_stages import versions

pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
    pytest.skip("there is no Java", allow_module_level=True)

import dedup.spark  # noqa: E402
from dedup.spark import engine  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # Spark's own, which differ from version to version

MASTER = os.environ.get("DEDUP_SPARK_MASTER", "local[2,4]")  # a task may fail three times


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Give a session."""
    from pyspark.sql import SparkSession

    root = str(Path(dedup.__file__).parent.parent)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
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


def rows(frame: Any, *order: str) -> list[dict[str, Any]]:
    """Give the rows of a DataFrame, sorted."""
    return frame.orderBy(*order).toArrow().to_pylist()


def same(spark: Any, table: pa.Table, **options: Any) -> dedup.spark.SparkDuplicates:
    """Check that Spark gives the answer of one machine, for rows in any order, and return it."""
    here = dedup.find_duplicates(table.sort_by("id"), id="id", **{k: v for k, v in options.items() if k in LOCAL})
    there = dedup.spark.find_duplicates(spark.createDataFrame(table).repartition(4), id="id", **options)
    whole = options.get("unit", "document") == "document"
    unit = "document" if whole else options["unit"]
    pair = ("left", "right") if whole else ("left", f"left_{unit}", "right", f"right_{unit}")
    one = ("id",) if whole else ("document", unit)
    assert rows(there.pairs, *pair) == here.pairs.to_pylist()
    assert rows(there.clusters, "cluster", "id", *one[1:]) == here.clusters.to_pylist()
    assert there.summary == here.summary
    for name in ("kept", "removed"):
        found = rows(getattr(there, name), *one)
        assert found == (
            [{"id": each} for each in getattr(here, name).to_pylist()] if whole else getattr(here, name).to_pylist()
        )
    frame = spark.createDataFrame(table)
    assert rows(there.filter(frame), "id") == here.filter(table.sort_by("id")).to_pylist()
    assert there.filter(frame).columns == frame.columns
    return there


LOCAL = ("column", "unit", "threshold", "metric", "shingle", "keep", "pairs", "distinct")


def table_of(texts: list[str | None], ids: list[Any] | None = None) -> pa.Table:
    """Give a table of texts, with ids and another column."""
    ids = list(range(len(texts))) if ids is None else ids
    return pa.table({"note": [f"{each}!" for each in ids], "id": ids, "text": texts})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.5, "metric": "containment", "keep": "longest", "partitions": 1},
        {"unit": "paragraph", "distinct": "numbers", "partitions": 3},
        {"keep": "min:note", "pairs": "all", "shingle": "chars:5", "partitions": 5},
    ],
    ids=str,
)
def test_spark_gives_the_answer_of_one_machine(spark: Any, options: dict[str, Any]) -> None:
    texts: list[str | None] = [
        f"{one}\n\n{other}" for one, other in zip(versions(1, 80, 9), versions(2, 80, 5), strict=True)
    ]
    same(spark, table_of([*texts, None, "", *versions(3, 20, 1, words=30)]), **options)


def test_ids_that_are_texts_are_in_the_order_of_their_code_points(spark: Any) -> None:
    ids = [f"{'éz北'[number % 3]} {number * 7919 % 40}" for number in range(40)]
    found = same(spark, table_of(versions(4, 40, 6), ids))
    assert len(found)
    assert repr(found).startswith("SparkDuplicates\n40 texts")


def test_nothing_and_nothing_found(spark: Any) -> None:
    kinds = pa.schema([("note", pa.string()), ("id", pa.int64()), ("text", pa.string())])
    same(spark, kinds.empty_table())
    assert not len(same(spark, table_of(["one text of some words", None, "another one, which is not like it"])))


def test_a_search_is_taken_up_from_its_work_folder(spark: Any, tmp_path: Path) -> None:
    table, work = table_of(versions(5, 60, 6)), tmp_path / "work"
    first = same(spark, table, work=str(work))
    steps = sorted(path.name for path in (work / "done").iterdir())
    assert [step[3:] for step in steps] == ["survive", "hold", "candidates", "verify", "describe"]
    for step in steps[2:]:  # as if the driver had been killed: one step is half written, later ones are not there
        shutil.rmtree(work / "done" / step)
        if step != steps[2]:
            shutil.rmtree(work / step)
    written = (work / steps[0]).stat().st_mtime_ns
    again = same(spark, table, work=str(work))
    assert again.summary == first.summary
    assert (work / steps[0]).stat().st_mtime_ns == written
    with pytest.raises(
        ParameterError, match="work: expected an empty folder, or that of the same search, .* threshold;"
    ):
        dedup.spark.find_duplicates(spark.createDataFrame(table).repartition(4), id="id", work=str(work), threshold=0.5)


def test_a_worker_that_is_killed_changes_nothing(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def running(stage: Any, folder: str = str(tmp_path)) -> Any:
        name = type(stage).__name__

        def run(batches: Any) -> Any:
            batches = list(batches)
            mark = os.path.join(folder, name)  # one attempt of each stage dies
            if batches and name in ("Note", "Hold", "Prefix", "Verify") and not os.path.exists(mark):
                Path(mark).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return stage(iter(batches))

        return run

    monkeypatch.setattr(engine, "running", running)
    same(spark, table_of(versions(6, 60, 6)), partitions=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Hold", "Note", "Prefix", "Verify"]


def test_the_example_keeps_what_is_no_duplicate(spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = Path(__file__).parent.parent.parent / "docs" / "examples" / "find_on_spark.py"
    if not script.is_file():
        pytest.skip("the documents are not beside the tests")
    table = table_of(versions(7, 30, 6))
    spark.createDataFrame(table).write.parquet(str(tmp_path / "corpus"))
    runpy.run_path(str(script))["run"](spark, str(tmp_path / "corpus"), str(tmp_path / "kept"))
    here = dedup.find_duplicates(table, id="id")
    assert rows(spark.read.parquet(str(tmp_path / "kept")), "id") == here.filter(table).to_pylist()
    assert capsys.readouterr().out == f"{here.summary}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id": "number"}, "id: expected a column 'number', found the columns"),
        ({"column": "body"}, "column: expected a column 'body', found the columns"),
        ({"column": "id"}, "column: expected strings in 'id', found bigint; cast or decode it"),
        ({"id": "share"}, "id: expected integers or strings in 'share', found double"),
        ({"keep": "max:date"}, "keep: expected a column 'date'"),
        ({"id": "same"}, r"id: expected each id once, found 1 in more than one row: 'x'; make"),
        ({"id": "gone"}, r"id: expected an id in every row, found none in 1; drop"),
    ],
    ids=str,
)
def test_unfit_columns_are_errors(spark: Any, options: dict[str, str], message: str) -> None:
    columns = {"id": [1, 2, 3], "text": ["a b c"] * 3, "share": [0.1, 0.2, 0.3]}
    frame = spark.createDataFrame(pa.table({**columns, "same": ["x", "y", "x"], "gone": ["x", None, "y"]}))
    with pytest.raises(InputError, match=message):
        dedup.spark.find_duplicates(frame, **({"id": "id"} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": lambda _, text: 0}, "keep: expected .*, found a function; write its values to a column"),
        ({"threshold": 80}, "threshold: expected"),
        ({"within": ["a"]}, "within: expected the name of a column, found list; write the labels to a column"),
        ({"metric": "edit"}, "metric: expected .jaccard. or .containment., found .edit"),
        ({"partitions": 0}, "partitions: expected a whole number from 1 to"),
        ({"distinct": "case"}, "distinct: expected"),
    ],
    ids=["keep", "threshold", "within", "edit", "partitions", "distinct"],
)
def test_unfit_options_are_errors(spark: Any, options: dict[str, Any], message: str) -> None:
    frame = spark.createDataFrame(table_of(["a b c"]))
    with pytest.raises(ParameterError, match=message):
        dedup.spark.find_duplicates(frame, id="id", **options)


def test_a_frame_of_another_kind_is_an_error(spark: Any) -> None:
    with pytest.raises(
        InputError, match="df: expected a Spark DataFrame, found Table; use dedup.find_duplicates for it"
    ):
        dedup.spark.find_duplicates(table_of(["a b c"]), id="id")


def test_an_old_pyspark_is_an_error(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspark, "__version__", "3.5.7")
    with pytest.raises(ParameterError, match=r"expected pyspark 4\.1 or later, found 3\.5\.7; pip install 'dedup-text"):
        dedup.spark.find_duplicates(spark.createDataFrame(table_of(["a b c"])), id="id")


def test_an_error_of_a_worker_is_told_in_its_own_words(spark: Any) -> None:
    for kind in (InputError, ParameterError):
        told = engine._told(RuntimeError(f"Traceback\n  File x\ndedup.errors.{kind.__name__}: what was found\nmore"))
        assert (type(told), str(told)) == (kind, "what was found")
    missing = engine._told(RuntimeError("ModuleNotFoundError: No module named 'dedup'"))
    assert "expected dedup-text on every worker, found a worker without it" in str(missing)
    other = RuntimeError("a lost executor")
    assert engine._told(other) is other
