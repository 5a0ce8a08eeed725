"""Spark gives the answer of one machine, also if workers and drivers are killed; what does not fit is an error."""

from __future__ import annotations

import functools
import gc
import itertools
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
import dedup.spark
from dedup.distributed import job as job_module
from dedup.errors import InputError, ParameterError, StorageError
from dedup.spark import engine, inputs
from tests.distributed.spark_answers import ALL_STAGES, LONG, many, rows, same, subsets, table_of
from tests.distributed.test_files import corpus, local_report
from tests.distributed.test_stages import versions

pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Spark's own, which differ from version to version


@pytest.mark.parametrize(
    "options",
    [
        {"partitions": 3, "frames": True},
        {"unit": "paragraph", "distinct": "numbers", "within": "label", "keep": "min:note", "frames": True},
        pytest.param({"threshold": 0.5, "metric": "containment", "keep": "longest", "partitions": 1}, marks=LONG),
        pytest.param({"keep": "none", "pairs": "all", "shingle": "chars:5", "partitions": 61}, marks=LONG),
        pytest.param({"across": "label", "ignore": "accents", "tokens": "all", "partitions": 8}, marks=LONG),
        pytest.param({"unit": "line", "min_documents": 3, "partitions": 5, "frames": True}, marks=LONG),
    ],
    ids=str,
)
def test_spark_gives_the_answer_of_one_machine(spark: Any, options: dict[str, Any]) -> None:
    table = many()
    assert len(same(spark, table.append_column("label", pa.array([row % 2 for row in range(len(table))])), **options))


@LONG
@pytest.mark.parametrize("batch", (100, 2048))
@pytest.mark.parametrize("adaptive", ("true", "false"))
def test_how_spark_cuts_changes_nothing(spark: Any, batch: int, adaptive: str) -> None:
    wanted = {"spark.sql.execution.arrow.maxRecordsPerBatch": str(batch), "spark.sql.adaptive.enabled": adaptive}
    before = {name: spark.conf.get(name) for name in wanted}
    try:
        for name, value in wanted.items():
            spark.conf.set(name, value)
        same(spark, many(), partitions=8)
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


@LONG
def test_ids_that_are_texts_are_in_the_order_of_their_code_points(spark: Any) -> None:
    ids = [f"{'éz北'[number % 3]} {number * 7919 % 40}" for number in range(40)]
    found = same(spark, table_of(versions(4, 40, 6), ids), frames=True)
    assert len(found)
    assert repr(found).startswith("SparkDuplicates\n40 texts")


@LONG
def test_nothing_and_nothing_found(spark: Any) -> None:
    kinds = pa.schema([("note", pa.string()), ("id", pa.int64()), ("text", pa.string())])
    same(spark, kinds.empty_table(), frames=True)
    assert not len(same(spark, table_of(["one text of some words", None, "another one, which is not like it"])))


def test_a_search_is_taken_up_from_its_work_folder(spark: Any, tmp_path: Path) -> None:
    table, work = table_of(versions(5, 60, 6)), tmp_path / "work"
    first = same(spark, table, work=str(work), partitions=2)
    steps = sorted(path.name for path in (work / "done").iterdir())
    assert [step[3:] for step in steps] == ["survive", "hold", "candidates", "verify", "describe"]
    for step in steps[2:]:  # as if the driver had been killed: one step is half written, later ones are not there
        shutil.rmtree(work / "done" / step)
        if step != steps[2]:
            shutil.rmtree(work / step)
    written = (work / steps[0]).stat().st_mtime_ns
    again = same(spark, table, work=str(work), partitions=2)
    assert again.summary == first.summary
    assert (work / steps[0]).stat().st_mtime_ns == written
    message = "work: expected an empty folder, or that of the same search, .* threshold;"
    with pytest.raises(ParameterError, match=message):
        frame = spark.createDataFrame(table).repartition(4)
        dedup.spark.find_duplicates(frame, id="id", work=str(work), threshold=0.5, partitions=2)


def test_files_that_were_changed_are_another_search(spark: Any, tmp_path: Path) -> None:
    file, work = tmp_path / "a b%20[1].json", tmp_path / "work"
    name = str(file).replace("[", "\\[")

    def write(texts: list[str]) -> None:
        file.write_text("".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts)))

    def find() -> Any:
        return dedup.spark.find_duplicates(spark.read.json(name), id="id", work=str(work), partitions=1)

    write(["one text", "another one"])
    assert find().summary == find().summary
    (told,) = inputs.files_of(spark.read.json(name))
    assert told.startswith(f"file:{file} {file.stat().st_size} ")
    assert inputs.files_of(spark.createDataFrame(table_of(["a b c"]))) == []
    write(["one text", "one text", "another one"])
    with pytest.raises(ParameterError, match="work: expected .* it differs in files;"):
        find()


def test_modules_are_spared_in_the_first_tasks_of_a_worker_alone(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spared = []
    monkeypatch.setattr(engine.gc, "freeze", lambda: spared.append(True))
    monkeypatch.setattr(engine, "_tasks", itertools.count())
    for _ in range(9):
        assert list(engine.running(lambda batches: batches)(iter([1, 2]))) == [1, 2]
    assert len(spared) == engine.SPARED_TASKS
    monkeypatch.undo()

    def frozen(batches: Any) -> Any:
        list(batches)
        yield pa.record_batch({"objects": [gc.get_freeze_count()]})

    same(spark, table_of(versions(1, 20, 3)), partitions=2)
    counts = spark.range(0, 4, 1, 4).mapInArrow(frozen, "objects bigint").toArrow().column("objects").to_pylist()
    assert max(counts) > 10_000  # of modules, in the workers that ran our stages


def dying(stages: tuple[str, ...], folder: str) -> Any:
    """Give what runs stages in workers, of which one attempt at each of some `stages` dies in the middle."""

    def running(stage: Any) -> Any:
        name = type(getattr(stage, "then", stage)).__name__

        def run(batches: Any) -> Any:
            batches = list(batches)
            mark = os.path.join(folder, name)
            if batches and name in stages and not os.path.exists(mark):
                Path(mark).touch()
                list(stage(iter(batches)))
                os.kill(os.getpid(), signal.SIGKILL)
            return stage(iter(batches))

        return run

    return running


SOME_STAGES = ("Note", "Prefix", "Verify")
EACH_STAGE = [pytest.param((stage,), marks=LONG) for stage in ALL_STAGES]


@pytest.mark.parametrize("stages", [SOME_STAGES, *EACH_STAGE], ids=str)
def test_a_worker_that_is_killed_changes_nothing(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: tuple[str, ...]
) -> None:
    monkeypatch.setattr(engine, "running", dying(stages, str(tmp_path)))
    texts = versions(6, 60, 6) if "JoinFamilies" not in stages else subsets(12)
    same(spark, table_of(texts), partitions=2, shingle="words:5" if len(texts) < 100 else "words:1")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stages)


@LONG
def test_a_driver_that_is_killed_is_taken_up(spark: Any, tmp_path: Path) -> None:
    table, work = table_of(versions(5, 60, 6)), tmp_path / "work"
    spark.createDataFrame(table).write.parquet(str(tmp_path / "corpus"))
    script = (
        "import sys, dedup.spark; from pyspark.sql import SparkSession; "
        "spark = SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false').getOrCreate(); "
        "df = spark.read.parquet(sys.argv[1]); "
        "print(dedup.spark.find_duplicates(df, id='id', work=sys.argv[2], partitions=2).summary)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "corpus"), str(work)]
    with subprocess.Popen(command, start_new_session=True) as first:
        while not (work / "done" / "02-hold").exists():
            assert first.poll() is None
            time.sleep(0.2)
        os.killpg(first.pid, signal.SIGKILL)
    found = dedup.spark.find_duplicates(
        spark.read.parquet(str(tmp_path / "corpus")), id="id", work=str(work), partitions=2
    )
    assert found.summary == dedup.find_duplicates(table, id="id").summary


@LONG
def test_spark_connect_gives_the_answer_of_one_machine(java: None, tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="grpcio is not installed")
    table = table_of(versions(5, 60, 6))
    pq.write_table(table, tmp_path / "corpus.parquet")
    script = (
        "import sys, dedup.spark; from pyspark.sql import SparkSession; "
        "spark = SparkSession.builder.remote('local[2]').getOrCreate(); "
        "df = spark.read.parquet(sys.argv[1]); "
        "found = dedup.spark.find_duplicates(df, id='id', partitions=2, work=sys.argv[2]); "
        "found.filter(df).write.parquet(sys.argv[3]); "
        "dedup.spark.find(spark, sys.argv[1], output=sys.argv[4], partitions=2); "
        "print(repr(found.summary), dedup.spark.match(df, df, id='id', partitions=2).summary, sep='\\n', end='')"
    )
    paths = [str(tmp_path / name) for name in ("corpus.parquet", "work", "kept", "report")]
    command = [sys.executable, "-c", script, *paths]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    here = dedup.find_duplicates(table, id="id")
    there = dedup.match(table, table, id="id", against_id="id", min_words=None)
    assert done.stdout == f"{here.summary}\n{there.summary}"
    assert pq.read_table(tmp_path / "kept").sort_by("id").to_pylist() == here.filter(table).to_pylist()
    local_report([tmp_path / "corpus.parquet"], tmp_path / "here")
    assert dedup.Report.open(tmp_path / "here") == dedup.Report.open(tmp_path / "report")


@pytest.mark.parametrize(
    "options", [{"keep": "max:name"}, pytest.param({"unit": "paragraph", "across": "source"}, marks=LONG)], ids=str
)
@pytest.mark.filterwarnings("ignore")
def test_the_report_of_files_is_that_of_one_machine(spark: Any, tmp_path: Path, options: dict[str, Any]) -> None:
    folder = corpus(tmp_path / "corpus")
    local_report([folder], tmp_path / "here", **options)
    found = dedup.spark.find(spark, [folder], output=tmp_path / "there", work=str(tmp_path / "work"), **options)
    assert found == dedup.Report.open(tmp_path / "here")
    for path in (tmp_path / "here").iterdir():
        assert path.name == "run.json" or path.read_bytes() == (tmp_path / "there" / path.name).read_bytes()
    assert set(found.run) >= {"seconds", "asked", "host"}
    again = dedup.spark.find(spark, [folder], output=tmp_path / "there", **options)  # nothing is searched
    assert again.run == found.run


@pytest.mark.parametrize("unit", ("document", pytest.param("paragraph", marks=LONG)))
def test_a_match_is_that_of_one_machine(spark: Any, unit: str) -> None:
    texts = [f"{one}\n\n{other}" for one, other in zip(versions(1, 60, 9), versions(2, 60, 5), strict=True)]
    left, right = table_of(texts[:40]), table_of(texts[40:], list(range(30, 50)))
    here = dedup.match(left, right, id="id", against_id="id", min_words=None, unit=unit, column="text")
    frames = [spark.createDataFrame(table).repartition(2) for table in (left, right)]
    there = dedup.spark.match(*frames, id="id", unit=unit, partitions=3)
    order = ("left", "right") if unit == "document" else ("left", f"left_{unit}", "right", f"right_{unit}")
    assert rows(there.pairs, *order) == here.pairs.to_pylist()
    assert rows(there.matched, "id") == [{"id": each} for each in here.matched.to_pylist()]
    assert there.summary == here.summary
    assert rows(there.filter(frames[0]), "id") == here.filter(left).to_pylist()
    assert repr(there).startswith("SparkMatches\n40 texts (0 empty) against 20")
    assert len(there) == len(here) > 0


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


def test_the_benchmark_of_files_searches_files(
    spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench_spark = pytest.importorskip("benchmarks.speed.bench_spark")
    asked = []
    for function in ("find", "find_duplicates"):
        real = getattr(dedup.spark, function)
        noted = functools.partial(
            lambda real, *given, **options: (asked.append(real), real(*given, **options))[1], real
        )
        monkeypatch.setattr(dedup.spark, function, noted)
    place = bench_spark.corpus(tmp_path, "generated:60")
    for step in ("files", "spark"):
        assert bench_spark.search_in(spark, step, place, tmp_path / step, {"rounds": 1, "partitions": 2}) == 60
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["step"] for row in rows] == ["files", "spark"]
    assert rows[0]["digest"] == rows[1]["digest"]
    monkeypatch.undo()
    assert asked == [dedup.spark.find, dedup.spark.find_duplicates]


# input that does not fit


def test_a_worker_with_another_key_or_version_is_an_error(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = spark.createDataFrame(table_of(["a b c"]))
    with pytest.raises(ParameterError, match="found public; set DEDUP_HASH_KEY in the environment of the workers"):
        dedup.spark.find_duplicates(frame, id="id", hash_key=b"a secret of sixteen bytes", partitions=1)
    monkeypatch.setattr(dedup, "__version__", "0.0.1")
    job_module.library_version.cache_clear()
    try:
        with pytest.raises(
            ParameterError, match=r"expected dedup-text 0\.0\.1 .* on every worker, .* install the same"
        ):
            dedup.spark.find_duplicates(frame, id="id", partitions=1)
    finally:
        job_module.library_version.cache_clear()


def test_an_old_java_or_cluster_is_an_error(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "OLDEST_JAVA", (99,))
    with pytest.raises(ParameterError, match=r"spark: expected Java 99 or later, found \d+; set JAVA_HOME"):
        dedup.spark.find_duplicates(spark.createDataFrame(table_of(["a b c"])), id="id")
    with pytest.raises(ParameterError, match=r"spark: expected a cluster of Spark 4\.1 or later, found 3\.5\.7; use"):
        inputs.check_cluster(SimpleNamespace(version="3.5.7"))


def test_files_that_workers_cannot_read_are_errors(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one text")
    for files, message in (
        ("s3a://bucket/corpus", "files: expected paths of files that the driver and all workers share, found the URI"),
        ([tmp_path / "none.jsonl"], "expected readable texts, found none in"),
    ):
        with pytest.raises(InputError, match=message):
            dedup.spark.find(spark, files, output=tmp_path / "report")
    with pytest.raises(ParameterError, match="output: expected a folder of the driver, found the URI"):
        dedup.spark.find(spark, tmp_path / "a.txt", output="s3a://bucket/report")
    with pytest.raises(InputError, match=r"spark: expected a session of Spark, found str; make it with"):
        dedup.spark.find("local[2]", tmp_path / "a.txt", output=tmp_path / "report")


def test_sides_that_do_not_fit_are_errors(spark: Any) -> None:
    left, right = (spark.createDataFrame(table_of(["a b c"], ids)) for ids in ([1], ["x"]))
    with pytest.raises(InputError, match="against_id: expected ids of one type on both sides, found int64 and string"):
        dedup.spark.match(left, right, id="id")
    with pytest.raises(InputError, match="against: expected a Spark DataFrame, found Table"):
        dedup.spark.match(left, table_of(["a"]), id="id")
    with pytest.raises(InputError, match="against_column: expected a column 'body', found the columns"):
        dedup.spark.match(left, left, id="id", against_column="body")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id": "number"}, "id: expected a column 'number', found the columns"),
        ({"column": "body"}, "column: expected a column 'body', found the columns"),
        ({"column": "id"}, "column: expected strings in 'id', found bigint; cast or decode it"),
        ({"column": "list.body"}, "column: expected a column 'list.body', .*; select the field as a column first"),
        ({"id": "share"}, "id: expected integers or strings in 'share', found double"),
        ({"keep": "max:date"}, "keep: expected a column 'date'"),
        ({"keep": "max:list"}, "keep: expected numbers, texts or dates, found 'list' of type array"),
        ({"across": "list"}, "across: expected numbers, texts or dates, found 'list' of type array"),
        ({"id": "same"}, r"id: expected each id once, found 1 in more than one row: 'x'; make"),
        ({"id": "gone"}, r"id: expected an id in every row, found none in 1; drop"),
    ],
    ids=str,
)
def test_unfit_columns_are_errors(spark: Any, options: dict[str, str], message: str) -> None:
    columns = {"id": [1, 2, 3], "text": ["a b c"] * 3, "share": [0.1, 0.2, 0.3], "list": [[1]] * 3}
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
        (
            {"column": ["text", "note"]},
            r"column: expected one name, .*; join the columns to one by functions.concat_ws",
        ),
        (
            {"work": ""},
            r"work: expected a folder that all workers can write to \(a path or URI\) or None, found str ''",
        ),
        ({"work": "/"}, "work: expected a folder that all workers can write to"),
        ({"work": 3}, "work: expected a folder that all workers can write to .*, found int 3"),
    ],
    ids=["keep", "threshold", "within", "edit", "partitions", "distinct", "columns", "no folder", "root", "number"],
)
def test_unfit_options_are_errors(spark: Any, options: dict[str, Any], message: str) -> None:
    frame = spark.createDataFrame(table_of(["a b c"]))
    with pytest.raises(ParameterError, match=message):
        dedup.spark.find_duplicates(frame, id="id", **options)


def test_two_columns_of_one_name_are_an_error(spark: Any) -> None:
    frame = spark.createDataFrame(table_of(["a b c"])).selectExpr("id", "text", "note as text")
    for found in (frame, frame.toDF("id", "text", "Text")):  # which Spark takes for one name
        with pytest.raises(InputError, match="column: expected one column 'text', found 2; rename all but one"):
            dedup.spark.find_duplicates(found, id="id")


def test_a_frame_of_another_kind_is_an_error(spark: Any) -> None:
    with pytest.raises(
        InputError, match="df: expected a Spark DataFrame, found Table; use dedup.find_duplicates for it"
    ):
        dedup.spark.find_duplicates(table_of(["a b c"]), id="id")
    stream = spark.readStream.format("rate").load().selectExpr("value as id", "'a' as text")
    with pytest.raises(
        InputError, match="df: expected a DataFrame of rows that are there, found a stream; write it to"
    ):
        dedup.spark.find_duplicates(stream, id="id")
    frame = spark.createDataFrame(table_of(["a b c", "d e f"]))
    found = dedup.spark.find_duplicates(frame, id="id", partitions=1)
    for other, message in (
        (frame.drop("id"), "the column 'id' in the"),
        (table_of(["a"]), "a Spark DataFrame, found T"),
    ):
        with pytest.raises(InputError, match=f"filter: expected {message}"):
            found.filter(other)


def test_a_work_folder_that_cannot_be_written_is_an_error(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    frame = spark.createDataFrame(table_of(["a b c"]))
    for work in (tmp_path / "file", "unknown://bucket/work"):
        with pytest.raises(StorageError, match=f"work: expected a folder .* can write to, found {work}: .*Exception: "):
            dedup.spark.find_duplicates(frame, id="id", work=work)


def test_another_text_loses_no_paragraph(spark: Any) -> None:
    table = table_of([f"the first part of number {number}\n\nthe other part of all texts" for number in range(6)])
    found = dedup.spark.find_duplicates(spark.createDataFrame(table), id="id", unit="paragraph", partitions=1)
    other = spark.createDataFrame(table).selectExpr("id", "'new\n\n' || text as text")
    with pytest.raises(pyspark.errors.PythonException, match="InputError: filter: expected for the id .* text"):
        found.filter(other).collect()


def test_an_old_pyspark_is_an_error(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspark, "__version__", "3.5.7")
    with pytest.raises(ParameterError, match=r"expected pyspark 4\.1 or later, found 3\.5\.7; pip install 'pyspark>=4"):
        dedup.spark.find_duplicates(spark.createDataFrame(table_of(["a b c"])), id="id")


def test_an_error_of_a_worker_is_told_in_its_own_words(spark: Any) -> None:
    for kind in (InputError, ParameterError):
        told = engine._told(RuntimeError(f"Traceback\n  File x\ndedup.errors.{kind.__name__}: what was found\nmore"))
        assert (type(told), str(told)) == (kind, "what was found")
    missing = engine._told(RuntimeError("ModuleNotFoundError: No module named 'dedup'"))
    assert "expected dedup-text on every worker, found a worker without it" in str(missing)
    older = engine._told(
        RuntimeError("AttributeError: Can't get attribute 'Note' on <module 'dedup.distributed.notes'")
    )
    assert "found another version, which lacks a part; install the same version everywhere" in str(older)
    other = RuntimeError("a lost executor")
    assert engine._told(other) is other
