"""Corpora on disk, files to report:
`python -m benchmarks.speed.bench_corpus --documents 1000000 --length 500 --memory 1GB`.

News-like documents (`benchmarks.corpora.news`: 10 % near copies, 2 % exact ones) are written to a folder in shards, as
`.jsonl.zst` or Parquet, and kept there under a name that says what they are; `--clean` removes them after the run.
Each step is measured in a process of its own, pinned to its cores, the kernels warm; one line of JSON per step:

    parse       the files alone, by the fastest way that keeps the texts: Arrow's readers
    memory      the same texts, in memory: `find_duplicates`
    files       `dedup find FILES --output`, everything in memory
    spilled     the same under `--memory`, by way of the work directory

`seconds` and `cpu` are the clock's and the processor's, `peak` the growth of the resident set in bytes, `disk` the most
that the work directory held, `digest` what all files of the report but run.json hash to. The last lines give the
ratios files / (parse + memory) and spilled / (parse + memory), of the clock and of the processor: on a machine that has
other work, only the latter means much.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import xxhash

STEPS: Final = ("parse", "memory", "files", "spilled")
PER_FILE: Final = 100_000
"""Documents of a file."""

WRITERS: Final = ("jsonl.zst", "parquet", "jsonl")


def corpus(folder: Path, documents: int, length: int, suffix: str) -> Path:
    """Write the corpus, unless it is there; return its folder."""
    place = folder / f"news-{documents}-{length}-{suffix}"
    if (place / "complete").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    starts = range(0, documents, PER_FILE)
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.speed.bench_corpus",
                "--write",
                str(place),
                suffix,
                str(documents),
                str(length),
            ]
            + [str(start) for start in starts[worker::CORES]]
        )
        for worker in range(CORES)
    ]
    if any(worker.wait() for worker in workers):
        raise SystemExit("the corpus could not be written")
    (place / "complete").touch()
    return place


CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def texts_of(start: int, end: int, length: int) -> Iterator[list[str]]:
    """Documents from `start` to `end`, in blocks."""
    import numpy as np

    from benchmarks.corpora.news import BLOCK, Model, spelled

    model = Model(length, 1)
    for at in range(start, end, BLOCK):
        yield spelled(*model.runs(np.arange(at, min(at + BLOCK, end), dtype=np.uint64)))


def write(place: Path, suffix: str, documents: int, length: int, starts: list[int]) -> None:
    """Write the files that begin at `starts`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for start in starts:
        path = place / f"part-{start // PER_FILE:05}.{suffix}"
        blocks = texts_of(start, min(start + PER_FILE, documents), length)
        if suffix == "parquet":
            texts = [text for block in blocks for text in block]
            table = pa.table({"number": range(start, start + len(texts)), "text": texts})
            pq.write_table(table, path, compression="zstd", row_group_size=20_000)
            continue
        quote = json.JSONEncoder(ensure_ascii=False).encode
        kind = "zstd" if suffix.endswith("zst") else None
        with pa.CompressedOutputStream(str(path), kind) if kind else path.open("wb") as out:
            number = start
            for block in blocks:
                lines = []
                for text in block:
                    lines.append(f'{{"number": {number}, "text": {quote(text)}}}\n')
                    number += 1
                out.write("".join(lines).encode())


# ------------------------------------------------------------------------------------------- steps


def parse(place: Path) -> Any:
    """Read the texts of all files by the fastest way: one Arrow column."""
    import pyarrow as pa
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    columns = []
    for path in sorted(place.glob("part-*")):
        if path.suffix == ".parquet":
            columns.append(pq.read_table(path, columns=["text"])["text"])
            continue
        stream = pa.CompressedInputStream(str(path), "zstd") if path.suffix == ".zst" else pa.OSFile(str(path))
        schema = pa.schema([("text", pa.large_string())])
        options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        columns.append(pj.read_json(stream, pj.ReadOptions(block_size=8 << 20), options)["text"])
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks])


def step(name: str, place: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Run one step in this process; return what was measured."""
    import pyarrow as pa

    from benchmarks.speed.measure import Peak

    threads = options["threads"]
    pa.set_cpu_count(threads)
    warm_up(threads, options)
    texts = parse(place) if name == "memory" else None
    peak = Peak()
    peak.start()
    start, cpu = time.perf_counter(), time.process_time()
    result: dict[str, Any] = {}
    if name == "parse":
        texts = parse(place)
    elif name == "memory":
        import dedup

        found = dedup.find_duplicates(texts, threads=threads)
        result["pairs"] = found.pairs.num_rows
    else:
        result |= report_of(name, place, options)
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    return {"step": name, "seconds": round(seconds, 2), "cpu": round(spent, 2), "peak": peak.stop(), **result}


def report_of(name: str, place: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Search the files as the command line does; return what is known of the run."""
    from dedup.pipelines import find_files
    from dedup.report.write import write_run_report
    from dedup.storage import work_dir

    disk = 0
    clear = work_dir.Store.clear

    def watched(self: work_dir.Store, *, remove: bool) -> None:
        nonlocal disk
        disk = max(disk, self.disk)
        clear(self, remove=remove)

    work_dir.Store.clear = watched  # type: ignore[method-assign]
    stages: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=options["folder"], prefix="report-") as folder:
        output = Path(folder) / "report"

        def written(found: find_files.FileRun, seconds: Any) -> None:
            start = time.perf_counter()
            write_run_report(output, found.duplicates, listing=found.listing, rejects=found.rejects, run={})
            stages.update(seconds, report=time.perf_counter() - start)

        memory = options["memory"] if name == "spilled" else None
        work = options["work_dir"]
        find_files.find_in_files(
            [place], output=output, memory=memory, work_dir=work, threads=options["threads"], write=written
        )
        digest = xxhash.xxh3_128()
        for path in sorted(output.iterdir()):
            if path.name != "run.json":
                digest.update(path.name.encode() + b"\n")
                digest.update(path.read_bytes())
    rounded = {stage: round(seconds, 2) for stage, seconds in stages.items()}
    return {"disk": disk, "digest": digest.hexdigest(), "stages": rounded}


def warm_up(threads: int, options: dict[str, Any]) -> None:
    """Compile and import everything, on a small corpus."""
    from dedup.pipelines import find_files

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write(place, "jsonl.zst", 2000, 500, [0])
        write(place, "parquet", 500, 500, [0])
        find_files.find_in_files([place], threads=threads)
        find_files.find_in_files([place], work_dir=place / "work", threads=threads)
    step_files = {"folder": options["folder"], "work_dir": None, "threads": threads, "memory": None}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), "jsonl.zst", 2000, 500, [0])
        report_of("files", Path(folder), step_files)
        import dedup

        texts = parse(Path(folder))
        dedup.find_duplicates(texts, threads=threads)
        dedup.match(texts[:1000], texts[1000:], threads=threads)  # as groups are joined


def in_child(name: str, place: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Run one step in a process of its own, on the cores that were chosen."""
    given = json.dumps([name, str(place), options])
    command = [sys.executable, "-m", "benchmarks.speed.bench_corpus", "--step", given]
    cores = options["cores"]
    if hasattr(os, "sched_setaffinity"):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, preexec_fn=lambda: os.sched_setaffinity(0, cores)
        )
    else:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"step": name, "error": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(given: list[str] | None = None) -> None:
    """Write the corpus, measure the steps, print a line each."""
    given = sys.argv[1:] if given is None else given
    if given[:1] == ["--write"]:
        place, suffix, documents, length, *starts = given[1:]
        write(Path(place), suffix, int(documents), int(length), [int(start) for start in starts])
        return
    if given[:1] == ["--step"]:
        print(json.dumps(step(*[Path(x) if i == 1 else x for i, x in enumerate(json.loads(given[1]))])))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_corpus", description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=500, help="mean bytes of a document")
    parser.add_argument("--memory", default="1GB", help="the bound of the spilled run")
    parser.add_argument("--formats", default="jsonl.zst,parquet", help=f"of {', '.join(WRITERS)}")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where corpora, reports and work go")
    parser.add_argument("--work-dir", help="name the work directory, so that every run commits its shards")
    parser.add_argument("--cores", default=",".join(str(core) for core in range(CORES)))
    parser.add_argument("--threads", type=int, help="by default one a core")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--clean", action="store_true", help="remove the corpora in the end")
    chosen = parser.parse_args(given)
    cores = [int(core) for core in chosen.cores.split(",")]
    options = {
        "threads": chosen.threads or len(cores),
        "cores": cores,
        "memory": chosen.memory,
        "folder": chosen.folder,
        "work_dir": chosen.work_dir,
    }
    bytes_free = shutil.disk_usage(chosen.folder).free
    wanted = chosen.documents * (chosen.length * 3 + 400)
    if bytes_free < wanted:
        raise SystemExit(f"expected {wanted:,} free bytes in {chosen.folder}, found {bytes_free:,}")
    for suffix in chosen.formats.split(","):
        start = time.perf_counter()
        place = corpus(Path(chosen.folder), chosen.documents, chosen.length, suffix)
        size = sum(path.stat().st_size for path in place.iterdir())
        known = {
            "documents": chosen.documents,
            "length": chosen.length,
            "format": suffix,
            "threads": options["threads"],
        }
        made = {"step": "write", "seconds": round(time.perf_counter() - start, 2), "bytes": size}
        print(json.dumps({**known, **made}), flush=True)
        best: dict[str, dict[str, float]] = {"seconds": {}, "cpu": {}}
        for _ in range(chosen.repeat):
            for name in chosen.steps.split(","):
                row = in_child(name, place, options)
                bound = {"memory": chosen.memory} if name == "spilled" else {}
                print(json.dumps({**known, **bound, **row}), flush=True)
                for kind, shortest in best.items():
                    shortest[name] = min(shortest.get(name, 1e9), row.get(kind, 1e9))
        for kind, shortest in best.items():
            if {"parse", "memory"} <= shortest.keys():
                base = shortest["parse"] + shortest["memory"]
                ratios = {name: round(shortest[name] / base, 3) for name in ("files", "spilled") if name in shortest}
                print(json.dumps({**known, "step": "ratio", "of": kind, **ratios}), flush=True)
        if chosen.clean:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
