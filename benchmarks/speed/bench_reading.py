"""Files to texts beside the fastest parse of the same files, and files to clusters beside that parse and the same find
in memory.

For each format, in turns: Arrow's own reader (the text column alone, one thread), `read_batches`, then
`find_duplicates` over an Arrow column in memory and over the files. CPU seconds of one process and one thread, the
least of the turns. The ratio is files to clusters / (the faster parse + find in memory); the target is 1.2.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

import dedup
from benchmarks.corpora import news
from benchmarks.publish import report
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches

FORMATS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".parquet", ".arrow")


def write(folder: Path, texts: list[str]) -> None:
    """The same records in each format, with an id and an address beside the text."""
    rows = [{"id": i, "url": f"https://example.org/{i}", "text": text} for i, text in enumerate(texts)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    (folder / "a.jsonl").write_bytes(lines)
    for suffix, codec in ((".gz", "gzip"), (".zst", "zstd")):
        (folder / f"a.jsonl{suffix}").write_bytes(pa.compress(lines, codec=codec, asbytes=True))
    table = pa.Table.from_pylist(rows)
    pyarrow.csv.write_csv(table, folder / "a.csv")
    pq.write_table(table, folder / "a.parquet", compression="zstd")
    with pa.ipc.new_file(str(folder / "a.arrow"), table.schema) as writer:
        writer.write_table(table, max_chunksize=2048)


def arrow_parse(path: Path) -> None:
    """Arrow's own reader, the way that was fastest."""
    if path.suffix == ".parquet":
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            for _ in file.iter_batches(batch_size=2048, columns=["text"], use_threads=False):
                pass
        return
    if path.suffix == ".arrow":
        with pa.memory_map(str(path)) as source:
            for part in pa.ipc.open_file(source).read_all().column("text").chunks:
                bytes(part.buffers()[2])  # so that the pages are read
        return
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    source = str(path) if codec is None else pa.CompressedInputStream(str(path), codec)
    if path.name == "a.csv":
        only = pyarrow.csv.ConvertOptions(include_columns=["text"])
        rows = pyarrow.csv.open_csv(
            source,
            pyarrow.csv.ReadOptions(use_threads=False),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            only,
        )
    else:
        rows = pyarrow.json.open_json(
            source,
            pyarrow.json.ReadOptions(use_threads=False, block_size=1 << 23),
            pyarrow.json.ParseOptions(
                explicit_schema=pa.schema([("text", pa.large_string())]), unexpected_field_behavior="ignore"
            ),
        )
    for _ in rows:
        pass


def own_parse(path: Path) -> None:
    """The readers of dedup."""
    for _ in read_batches(Listing([path])):
        pass


def clock(work: Callable[[], Any]) -> float:
    """CPU seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print a line a format."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.bench_reading", description=__doc__)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--mean-bytes", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--formats", default=",".join(FORMATS))
    chosen = parser.parse_args()
    texts = list(chain.from_iterable(news.generate(chosen.documents, chosen.mean_bytes, 3)))
    size = sum(len(text.encode()) for text in texts) / 1e6
    print("\n".join(report.machine()))
    print(f"{len(texts):,} documents, {size:.1f} MB of text; MB of text a CPU second, CPU seconds, ratio")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, texts)
        column = pa.chunked_array([texts], type=pa.large_string())
        del texts
        dedup.find_duplicates(column.slice(0, 100), threads=1)
        for suffix in chosen.formats.split(","):
            path = folder / f"a{suffix}"
            turns = [
                (
                    clock(lambda: arrow_parse(path)),  # noqa: B023  (called at once)
                    clock(lambda: own_parse(path)),  # noqa: B023
                    clock(lambda: dedup.find_duplicates(column, threads=1)),
                    clock(lambda: dedup.find_duplicates(dedup.files(path), threads=1)),  # noqa: B023
                )
                for _ in range(chosen.repeat)
            ]
            arrow, own, find, files = (min(spent) for spent in zip(*turns, strict=True))
            print(
                f"{suffix:<11} arrow {size / arrow:6.0f}  dedup {size / own:6.0f}  find {find:.2f} s  "
                f"files {files:.2f} s  ratio {files / (min(arrow, own) + find):.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
