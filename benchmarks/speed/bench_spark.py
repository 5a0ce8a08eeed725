"""A search on Spark, beside the search of one machine: `python -m benchmarks.speed.bench_spark generated:40000`.

A corpus of `benchmarks.corpora.named`, or `copies:N[:bytes]` for N exact copies of one text and as many texts of their
own as a tenth of them, is written to Parquet files of 5,000 texts, with ids, and kept. Each step is a process of its
own on the same cores. One line of JSON a step:

    spark       `dedup.spark.find_duplicates` over a DataFrame, once a round; the first round starts everything
    files       `dedup.spark.find` over the files, once a round: Java does not see the texts
    local       `dedup find` over the files under `--memory`, by way of the work directory

`seconds` is the clock, `cpu` the processor time of all processes (Java and Python together; `cpu_of` by kind),
`worker` the most memory that a Python process of a worker held at a moment (proportional set size, in bytes), `tree`
that of all processes, and `shuffle` the bytes a text that Spark wrote for its shuffles. The answers of all steps are
compared. The last lines have the times of the last rounds on Spark divided by those of one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from benchmarks.corpora import named, news

STEPS: Final = ("spark", "files", "local")
PER_FILE: Final = 5000
"""Documents of a file."""

WATCHED: Final = 0.5
"""Seconds between two looks at the memory of all processes."""

TICKS: Final = os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------------------------------ corpora


def copies(count: int, mean_bytes: int = 200) -> Iterator[list[str]]:
    """Yield `count` copies of one text, and a tenth as many texts of their own among them."""
    own = chain.from_iterable(news.generate(count // 10 + 1, mean_bytes))
    one = next(own)
    for text in own:
        yield [text, *([one] * 10)]


def blocks(name: str) -> Iterator[list[str]]:
    """Yield the texts of a corpus in blocks."""
    kind, *numbers = name.split(":")
    return copies(*map(int, numbers)) if kind == "copies" else named.blocks(name)


def corpus(folder: Path, name: str) -> Path:
    """Write the corpus as Parquet files, unless it is there; return its folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = folder / f"spark-{name.replace(':', '-')}"
    if (place / "complete").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    texts = chain.from_iterable(blocks(name))
    at = 0
    while some := list(islice(texts, PER_FILE)):
        table = pa.table({"id": range(at, at + len(some)), "text": some})
        pq.write_table(table, place / f"part-{at // PER_FILE:05}.parquet", compression="zstd")
        at += len(some)
    (place / "complete").touch()
    return place


# ---------------------------------------------------------------------------------------- processes


def tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(each.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(each.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def spent(root: int) -> dict[str, float]:
    """Return the processor time of a process and its descendants, those that ended included, in seconds, by kind."""
    ticks = dict.fromkeys(("driver", "java", "workers"), 0)
    for pid in tree(root):
        with suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            kind = "java" if b"java" in line.split(b"\0")[0] else "workers" if b"pyspark.daemon" in line else "driver"
            ticks[kind] += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return {kind: count / TICKS for kind, count in ticks.items()}


def held(pid: int) -> tuple[bool, int]:
    """Return whether a process is one of a worker's Python, and what it holds of the memory, in bytes."""
    with suppress(OSError):
        python = b"pyspark.daemon" in Path(f"/proc/{pid}/cmdline").read_bytes()
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return python, int(line.split()[1]) << 10
    return False, 0


class Watch:
    """What this process and its descendants hold at most while it watches."""

    def __init__(self) -> None:
        self.worker = self.tree = 0
        self.cpu = 0.0  # of the watching itself
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(WATCHED):
            every = [held(pid) for pid in tree(os.getpid())]
            self.worker = max(self.worker, *(size for python, size in every if python), 0)
            self.tree = max(self.tree, sum(size for _, size in every))
            self.cpu = time.thread_time()

    def stop(self) -> dict[str, int]:
        """Stop, and return what was held."""
        self._ended.set()
        self._thread.join()
        return {"worker": self.worker, "tree": self.tree}


def measured(work: Callable[[], Callable[[], dict[str, Any]]]) -> dict[str, Any]:
    """Return the time and memory of some work, and what the function returns that it returns."""
    watch = Watch()
    start, before = time.perf_counter(), spent(os.getpid())
    made = work()
    seconds, held = time.perf_counter() - start, watch.stop()
    kinds = {kind: each - before[kind] for kind, each in spent(os.getpid()).items()}
    kinds["driver"] -= watch.cpu
    rounded = {kind: round(each, 2) for kind, each in kinds.items()}
    row = {"seconds": round(seconds, 2), "cpu": round(sum(kinds.values()), 2), "cpu_of": rounded}
    return {**row, **held, **made()}


# -------------------------------------------------------------------------------------------- steps


def answer_of(found: Any) -> dict[str, Any]:
    """Return what both steps must agree on."""
    import xxhash

    summary = found.summary
    summary = summary if isinstance(summary, dict) else vars(summary)  # that of a report
    counts = {name: summary[name] for name in ("pairs", "clusters", "removed")}
    columns = ("cluster", "id") if "cluster" in found.clusters.column_names else found.clusters.column_names
    digest = xxhash.xxh3_64()
    for name in columns:
        digest.update(repr(found.clusters.column(name).to_pylist()).encode())
    return {**counts, "digest": digest.hexdigest()}


def shuffled(folder: Path) -> int:
    """Return the bytes that Spark wrote for shuffles, from its event log."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    if '"SparkListenerTaskEnd"' in line:
                        metrics = json.loads(line).get("Task Metrics") or {}
                        total += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
    return total


def on_spark(name: str, place: Path, options: dict[str, Any]) -> None:
    """Search in rounds on a session of Spark, and print a line each."""
    from pyspark.sql import SparkSession

    import dedup

    root = str(Path(dedup.__file__).parent.parent)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    with tempfile.TemporaryDirectory() as folder:
        builder = SparkSession.builder.master(options["master"]).config("spark.ui.enabled", "false")
        given = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "3g",
            "spark.executorEnv.PYTHONPATH": os.environ["PYTHONPATH"],
            "spark.driver.maxResultSize": "0",
            "spark.ui.showConsoleProgress": "false",
            **({"spark.eventLog.enabled": "true", "spark.eventLog.dir": folder} if options["events"] else {}),
            **dict(each.split("=", 1) for each in options["conf"]),
        }
        for setting, value in given.items():
            builder = builder.config(setting, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        documents = search_in(spark, name, place, Path(folder), options)
        spark.stop()
        if options["events"]:
            print(json.dumps({"shuffle": round(shuffled(Path(folder)) / documents / options["rounds"])}), flush=True)


def search_in(spark: Any, name: str, place: Path, folder: Path, options: dict[str, Any]) -> int:
    """Search in rounds, and print a line each; return the number of documents."""
    import pyarrow.parquet as pq

    import dedup.spark

    documents = sum(pq.read_metadata(path).num_rows for path in place.glob("*.parquet"))
    for each in range(options["rounds"]):

        def files(output: str = f"{folder}/report-{each}") -> Callable[[], dict[str, Any]]:
            how = {"output": output, "id": "id", "partitions": options["partitions"]}
            found = dedup.spark.find(spark, sorted(map(str, place.glob("*.parquet"))), **how)
            return lambda: {"stages": found.run["seconds"], **answer_of(found)}

        def frame() -> Callable[[], dict[str, Any]]:
            frame = spark.read.parquet(str(place))
            found = dedup.spark.find_duplicates(frame, id="id", partitions=options["partitions"])
            stages = {name: round(seconds, 2) for name, seconds in found.timings.items()}
            assert found.summary.texts == documents  # reads the few texts that it shows, at once
            return lambda: {"stages": stages, **answer_of(found._found)}

        row = measured(files if name == "files" else frame)
        print(json.dumps({"step": name, "round": each, "documents": documents, **row}), flush=True)
    return documents


def locally(place: Path, options: dict[str, Any]) -> None:
    """Search as the command line does, under a bound of memory, and print a line."""
    from dedup.pipelines.find_files import find_in_files
    from dedup.report.write import write_run_report

    files = sorted(map(str, place.glob("*.parquet")))
    with tempfile.TemporaryDirectory(dir=options["folder"], prefix="report-") as folder:

        def search(files: list[str], name: str) -> Callable[[], dict[str, Any]]:
            output, held = Path(folder) / name, list[Any]()

            def written(run: Any, _: Any) -> None:
                write_run_report(output, run.duplicates, listing=run.listing, rejects=run.rejects, run={})
                held.append(run.duplicates)

            how = {"memory": options["memory"], "work_dir": f"{output}.work", "threads": len(os.sched_getaffinity(0))}
            find_in_files(files, output=output, id="id", write=written, **how)
            return lambda: answer_of(held[0])

        search(files[:1], "first")  # imports everything
        row = measured(lambda: search(files, "report"))
    print(json.dumps({"step": "local", "memory": options["memory"], **row}), flush=True)


def in_child(name: str, place: Path, options: dict[str, Any], cores: set[int]) -> list[dict[str, Any]]:
    """Run a step in a process of its own; print and return what it printed."""
    given = json.dumps([name, str(place), options])
    command = [sys.executable, "-m", "benchmarks.speed.bench_spark", "--step", given]
    pinned = (lambda: os.sched_setaffinity(0, cores)) if hasattr(os, "sched_setaffinity") else None
    rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned) as child:
        for line in child.stdout or ():
            if line.startswith("{"):
                print(line, end="", flush=True)
                rows.append(json.loads(line))
    return rows


def main(given: list[str] | None = None) -> None:
    """Write the corpus, measure the steps, print a line each."""
    given = sys.argv[1:] if given is None else given
    if given[:1] == ["--step"]:
        name, place, options = json.loads(given[1])
        if name == "local":
            locally(Path(place), options)
        else:
            on_spark(name, Path(place), options)
        return
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.bench_spark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpus")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--rounds", type=int, default=3, help="searches on Spark, one after the other")
    parser.add_argument("--partitions", type=int, help="of `dedup.spark.find_duplicates`")
    parser.add_argument("--conf", action="append", default=[], help="a setting of Spark: NAME=VALUE")
    parser.add_argument("--events", action="store_true", help="count the bytes of shuffles, from Spark's event log")
    parser.add_argument("--memory", default="1GB", help="the bound of the local run")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where corpora, reports and work go")
    parser.add_argument("--cores", default="0,1")
    chosen = parser.parse_args(given)
    if not set(chosen.steps.split(",")) <= set(STEPS):
        parser.error(f"--steps: expected some of {','.join(STEPS)}, found {chosen.steps}")
    place = corpus(Path(chosen.folder), chosen.corpus)
    cores = {int(core) for core in chosen.cores.split(",")}
    found = {name: in_child(name, place, vars(chosen), cores) for name in chosen.steps.split(",")}
    local = found.get("local", [])[-1:]
    for name in ("spark", "files"):
        rows = [row for row in found.get(name, []) if "cpu" in row][-1:]
        for row, other in zip(rows, local, strict=False):
            ratios = {kind: round(row[kind] / other[kind], 2) for kind in ("seconds", "cpu")}
            equal = row["digest"] == other["digest"]
            print(json.dumps({"step": "ratio", "of": name, "equal": equal, **ratios}), flush=True)


if __name__ == "__main__":
    main()
