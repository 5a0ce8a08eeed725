"""What files hold, by a sample: near what they do hold, and memory and disk near what a search of them takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from dedup.sources.files import sampling
from dedup.sources.files.listing import Listing
from tests import corpora, corpus_files

ROOT = Path(dedup.__file__).parent.parent


def texts_of(count: int, seed: int) -> list[str]:
    """Give texts of very different lengths."""
    random = Random(seed)
    known = corpora.vocabulary(random)
    return [corpora.paragraph(random, known, 5 + int(random.random() ** 3 * 400)) for _ in range(count)]


@pytest.mark.parametrize("compression", [None, "gzip", "zstd", "bz2", "xz"])
@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet", "arrow", "txt"])
def test_a_sample_says_how_much_there_is(format: str, compression: str | None, tmp_path: Path) -> None:
    """Texts, characters and shingles within a third, whatever the format; the other columns do not matter."""
    suffix = f".{corpus_files.PACKED[compression]}" if compression else ""
    texts: list[str] = []
    for number, count in enumerate((900, 3500, 200)):
        part = texts_of(count, number)
        texts += part
        if format == "txt":
            for i, text in enumerate(part[::10]):
                corpus_files.write(tmp_path, f"{number}-{i}.txt{suffix}", corpus_files.pack(text.encode(), compression))
            continue
        rows = [{"n": i, "text": text, "note": "x" * 40} for i, text in enumerate(part)]
        data = corpus_files.encode(format, rows)
        if format == "parquet":
            sink = pa.BufferOutputStream()
            pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=500)
            data = sink.getvalue().to_pybytes()
        corpus_files.write(tmp_path, f"{number}.{format}{suffix}", corpus_files.pack(data, compression))
    if format == "txt":
        texts = [text for part in (texts[:900], texts[900:4400], texts[4400:]) for text in part[::10]]
    listing = Listing([tmp_path])
    outline = sampling.sample_files(listing, "text", read_whole=0)
    if compression and format in ("parquet", "arrow"):
        assert outline is None, "only the whole file says how much is in it"
        return
    assert outline is not None
    exact = format == "txt"
    assert len(texts) / (1 if exact else 1.34) <= outline.texts <= len(texts) * (1 if exact else 1.34)
    characters = sum(map(len, texts))
    assert characters / 1.34 <= outline.characters <= characters * 1.34
    assert {outline.sample[row] for row in range(len(outline.sample))} <= set(texts)
    assert len(outline.sample) >= min(100, len(texts))


def test_small_files_are_read(tmp_path: Path) -> None:
    """So the figures are exact."""
    corpus_files.write(tmp_path, "a.jsonl", b'{"text": "one"}\n{"text": "three"}\n')
    assert sampling.sample_files(Listing([tmp_path]), "text") is None
    plan = dedup.estimate(dedup.files(tmp_path))
    assert (2, 8) == (plan.texts, plan.characters)


def test_lines_are_found_wherever_the_sample_begins(tmp_path: Path) -> None:
    """Also inside a line, and behind the last one."""
    for count in (1, 2, 3, 40):
        texts = texts_of(count, count)
        rows = [{"n": i, "text": text} for i, text in enumerate(texts)]
        corpus_files.write(tmp_path / str(count), "a.jsonl", corpus_files.encode("jsonl", rows))
        outline = sampling.sample_files(Listing([tmp_path / str(count)]), "text", read_whole=0)
        if outline is None:
            assert count < 4, "no line begins after such a place"
            continue
        assert {outline.sample[row] for row in range(len(outline.sample))} <= set(texts)
        assert outline.texts >= 1


MEASURE = """
import sys
from dedup.pipelines.find_files import find_in_files
from dedup.report.write import write_run_report
def rest():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
find_in_files([sys.argv[2]], threads=1)  # kernels and libraries are loaded
before = rest()
run = find_in_files([sys.argv[1]], threads=1)
write_run_report(sys.argv[3], run.duplicates, listing=run.listing)
print(rest() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is measured as Linux counts it")
@pytest.mark.parametrize(("count", "length"), [(60_000, 500), (6_000, 5_000)])
def test_the_memory_is_forecast_within_a_factor_of_two(count: int, length: int, tmp_path: Path) -> None:
    """Above the process at rest, what a search of files and its report take."""
    news: Any = pytest.importorskip("benchmarks.corpora.named")
    rows = [{"n": i, "text": text} for i, text in enumerate(news.corpus(count, length, 3))]
    corpus_files.write(tmp_path / "in", "a.jsonl", corpus_files.encode("jsonl", rows))
    corpus_files.write(tmp_path / "few", "a.jsonl", corpus_files.encode("jsonl", rows[:50]))
    plan = dedup.estimate(dedup.files(tmp_path / "in"), threads=1)
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "in"), str(tmp_path / "few"), str(tmp_path / "report")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    taken = int(done.stdout)
    assert taken / 2 <= plan.memory <= taken * 2, f"forecast {plan.memory:,}, taken {taken:,}"
