"""A record that the bound cannot hold is rejected while it is read; nothing of its size is held."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from dedup.sources.files.formats.arrow.pages import pages_of
from dedup.sources.files.limits import MAX_RECORD_BYTES, most_of
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpus_files
from tests.cli.test_commands import REJECTED, ROOT, WRONG, call
from tests.corpus_files import PACKERS, WRITERS

MB = 1 << 20
LEAST = most_of(1)
"""What every bound allows."""


def write(folder: Path, name: str, data: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(data)
    return path


def read(
    path: Path, after: list[int] | None = None
) -> tuple[list[tuple[int, int]], list[tuple[int | None, str]], list[list[int]]]:
    """Read a file under the smallest bound: number and length of each text, line and reason of each reject, tokens."""
    texts: list[tuple[int, int]] = []
    rejects: list[tuple[int | None, str]] = []
    tokens: list[list[int]] = []
    for batch in read_batches(Listing([path]).bounded(1), after=after):
        texts += [(row.number, len(row.text or "")) for row in corpus_files.rows_of(batch)]
        rejects += [(reject.line, reject.reason) for reject in batch.rejects]
        tokens.append(batch.more)
    return texts, rejects, tokens


def test_what_a_bound_allows() -> None:
    """It grows with the bound, and has a floor and a ceiling."""
    found = [most_of(memory) for memory in (1, 10**8, 5 * 10**8, 10**10, 10**12, None)]
    assert sorted(found) == found
    assert (MB, MAX_RECORD_BYTES) == (found[0], found[-1])


@pytest.mark.parametrize("packing", ["", ".zst"])
@pytest.mark.parametrize("kind", WRITERS)
def test_one_record_is_too_large(kind: str, packing: str, tmp_path: Path) -> None:
    """It is rejected with its place, those round it are read, from every token the same."""
    sizes = [10, MB // 2, 3 * MB, 20, 5 * MB + 7, MB // 2, 4 * MB, 2 * MB, 30]
    records = [{"text": "x" * size, "n": i} for i, size in enumerate(sizes)]
    path = write(tmp_path, f"a{kind}{packing}", PACKERS[packing](WRITERS[kind](records)))
    texts, rejects, tokens = read(path)
    first = 2 if kind == ".csv" else 1
    assert [(i + first, size) for i, size in enumerate(sizes) if size < MB] == texts
    assert [i + first for i, size in enumerate(sizes) if size > MB] == [line for line, _ in rejects]
    for (_, reason), size in zip(rejects, [size for size in sizes if size > MB], strict=True):
        assert f"of {LEAST:,} bytes or fewer" in reason
        assert "give more memory (--memory), or split it" in reason
        found = int(reason.partition("found ")[2].partition(" bytes")[0].replace(",", ""))
        assert size <= found <= size + 30
    for token in tokens[:-1][::3]:
        rest, _, _ = read(path, json.loads(json.dumps(token)))
        assert texts[len(texts) - len(rest) :] == rest
    unbounded = list(read_batches(Listing([path])))
    assert len(sizes) == sum(len(batch.texts) for batch in unbounded)


@pytest.mark.parametrize("size", [LEAST - 50, LEAST + 100, LEAST + (1 << 17)])
@pytest.mark.parametrize("before", [0, 1000, LEAST - 100, LEAST + 5])
@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
def test_the_limit_does_not_depend_on_the_place(kind: str, before: int, size: int, tmp_path: Path) -> None:
    """A record is rejected or not by its own length, whatever comes before it."""
    alone, _, _ = read(write(tmp_path, f"a{kind}", WRITERS[kind]([{"text": "x" * size}])))
    records = [*({"text": "y" * 99} for _ in range(before // 110)), {"text": "x" * size}, {"text": "z"}]
    texts, _, _ = read(write(tmp_path, f"b{kind}", WRITERS[kind](records)))
    assert len(alone) == sum(length == size for _, length in texts)
    assert before // 110 + 1 + len(alone) == len(texts)


@pytest.mark.parametrize("packing", PACKERS)
def test_a_text_is_too_large(packing: str, tmp_path: Path) -> None:
    """A text file is read as far as it may be large."""
    path = write(tmp_path, f"a.txt{packing}", PACKERS[packing](b"word " * MB))
    ((line, reason),) = read(path)[1]
    assert line is None
    assert "expected a text of 1,048,576 bytes or fewer" in reason
    assert "bytes so far" in reason


def test_a_quote_that_nobody_closes(tmp_path: Path) -> None:
    """It takes what follows with it, and holds nothing of it; so does a first line without an end."""
    data = b'text,n\n"one",1\n"two' + b"x\n" * (3 * MB)
    texts, rejects, _ = read(write(tmp_path, "a.csv", data))
    assert ([(2, 3)], [3]) == (texts, [line for line, _ in rejects])
    assert "a quoted field is opened and not closed" in rejects[0][1]
    texts, rejects, _ = read(write(tmp_path, "b.csv", b"text" + b"," * (3 * MB)))
    assert ([], [None]) == (texts, [line for line, _ in rejects])
    assert "expected a first record, with the names of the columns, of" in rejects[0][1]


@pytest.mark.parametrize("broken", [".gz", ".zst", ".bz2", ".xz"])
@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
def test_a_large_record_that_is_cut_off(kind: str, broken: str, tmp_path: Path) -> None:
    """A stream that breaks within it is one reject at its beginning."""
    body = os.urandom(4 * MB).hex()
    data = WRITERS[kind]([{"text": "one"}, {"text": body}])
    packed = PACKERS[broken](data)
    texts, rejects, _ = read(write(tmp_path, f"a{kind}{broken}", packed[: len(packed) * 3 // 4]))
    first = 2 if kind == ".csv" else 1
    assert ([(first, 3)], [first + 1]) == (texts, [line for line, _ in rejects])


# ------------------------------------------------------------------------------------------ tables


def as_parquet(texts: list[str], **options: object) -> bytes:
    """Write texts as one row group."""
    out = io.BytesIO()
    pq.write_table(pa.table({"text": texts, "n": range(len(texts))}), out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"use_dictionary": False}, {"data_page_version": "2.0"}, {"compression": "zstd"}]
)
def test_pages_by_their_headers(options: dict[str, object]) -> None:
    """Their sizes and values add up to what the footer says of the column."""
    texts = [f"text {i} " * (i % 50) for i in range(20_000)]
    data = as_parquet(texts, data_page_size=20_000, write_page_checksum=True, **options)
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    for i in range(2):
        column = group.column(i)
        first = min(filter(None, (column.dictionary_page_offset, column.data_page_offset)))
        pages = list(pages_of(io.BytesIO(data), first, column.total_compressed_size))
        assert len(texts) == sum(page.values for page in pages if not page.dictionary)
        assert column.has_dictionary_page == any(page.dictionary for page in pages)
        headers = column.total_uncompressed_size - sum(page.size for page in pages)
        assert 0 < headers < 500 * len(pages)
    for garbage in (b"", b"\xff" * 100, b"\x15" * 5000, b"\x15\x00" * 50, data[:7]):
        assert [] == list(pages_of(io.BytesIO(garbage), 0, 100)) or garbage


def dictionary_bomb() -> bytes:
    """One text of a megabyte, some thousand times: a few kilobytes on disk, gigabytes when it is spelled out."""
    return as_parquet(["x" * (MB - 1)] * 4000, compression="zstd", dictionary_pagesize_limit=64 * MB)


def page_bomb() -> bytes:
    """One cell of 600 MB."""
    return as_parquet(["one", "x" * (600 * MB)], compression="zstd", use_dictionary=False)


def arrow_bomb(codec: str, *, stream: bool) -> bytes:
    """A record batch of 600 MB."""
    out = io.BytesIO()
    batch = pa.record_batch([pa.array(["one", "x" * (600 * MB)])], names=["text"])
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(out, batch.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_batch(batch)
    return out.getvalue()


def lines_bomb() -> bytes:
    """A line of 600 MB."""
    return b'{"text": "one"}\n{"text": "' + b"x" * (600 * MB) + b'"}\n{"text": "two"}\n'


def cell_bomb() -> bytes:
    """A quoted cell of 600 MB."""
    return b'text\none\n"' + b"x\n" * (300 * MB) + b'"\ntwo\n'


BOMBS: dict[str, tuple[Callable[[], bytes], int]] = {
    "a.jsonl.zst": (lines_bomb, REJECTED),
    "a.csv.zst": (cell_bomb, REJECTED),
    "a.txt.zst": (lambda: b"x " * (300 * MB), WRONG),
    "a.jsonl": (lambda: b'{"text": "one"}\n' + b"\n" * 10 + b"\0" * (600 * MB), REJECTED),
    "a.parquet": (page_bomb, WRONG),
    "b.parquet": (dictionary_bomb, 0),
    "a.arrow": (lambda: arrow_bomb("zstd", stream=False), WRONG),
    "b.arrow": (lambda: arrow_bomb("lz4", stream=True), WRONG),
}
LONG = os.environ.get("DEDUP_HYPOTHESIS") == "long"
SOME = list(BOMBS) if LONG else ["a.jsonl.zst", "b.parquet", "a.arrow"]
"""The others take too long for every run."""

PEAK = """
import os, resource, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss // 1024)
"""


@pytest.mark.parametrize("name", SOME)
def test_bombs_are_read_within_the_bound(name: str, tmp_path: Path) -> None:
    """A small file that unpacks to much more than the bound takes no more than the bound above the process at rest."""
    make, code = BOMBS[name]
    data = make()
    write(tmp_path, name, PACKERS[".zst"](data) if name.endswith(".zst") else data)
    del data
    command = [
        sys.executable,
        "-c",
        PEAK,
        sys.executable,
        "-m",
        "dedup",
        "find",
        name,
        "--memory",
        "300MB",
        "--threads",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    found, peak = map(int, done.stdout.split()[-2:])
    assert "Traceback" not in done.stderr
    assert code == found, done.stderr
    assert peak < 550, done.stderr  # 150 MB of it at rest, with the kernels
    if code:
        assert "which is the limit under the bound on memory" in done.stderr


def test_bounds_from_python(tmp_path: Path) -> None:
    """Every search hands its bound on, and one without a bound is not touched by one before it."""
    records = [
        {"text": "one two three four five " * 200_000},
        *({"text": f"text {i} of many words"} for i in range(20)),
    ]
    files = dedup.files(write(tmp_path, "a.jsonl", corpus_files.as_lines(records)), on_error="skip")
    for search in (
        lambda: dedup.find_duplicates(files, memory="120MB", threads=1),
        lambda: dedup.find_repeats(files, memory="120MB", threads=1),
        lambda: dedup.match(files, files, memory="200MB", threads=1, min_words=None),
    ):
        search()
        assert 1 == len(files.rejects)
        assert "expected a line of" in files.rejects[0].reason
    assert 21 == dedup.find_duplicates(files, threads=1).summary.texts
    assert [] == files.rejects


def test_apply_leaves_large_records_out(tmp_path: Path) -> None:
    """A record that was rejected for its length is not written; the others are, with their bytes."""
    records = [
        {"text": "a text of some words"},
        {"text": "x " * (3 * MB)},
        {"text": "A text of some words!"},
        {"text": "b"},
    ]
    for kind in (".jsonl", ".csv", ".parquet"):
        write(tmp_path, f"a{kind}", WRITERS[kind](records))
        done = call("find", f"a{kind}", "--memory", "130MB", "--threads", "1", "--output", f"r-{kind[1:]}", cwd=tmp_path)
        assert REJECTED == done.returncode, done.stderr
        done = call("apply", f"r-{kind[1:]}", "--output", f"o-{kind[1:]}", cwd=tmp_path)
        assert REJECTED == done.returncode, done.stderr
        (path,) = (tmp_path / f"o-{kind[1:]}").iterdir()
        assert ["a text of some words", "b"] == [row.text for row in corpus_files.read_all(path)[0]]


def test_no_memory_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is a reject of the file, and never a bare MemoryError."""
    path = write(tmp_path, "a.jsonl", corpus_files.as_lines([{"text": "one"}]))
    write(tmp_path, "b.txt.gz", gzip.compress(b"a text"))

    def refuse(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr("dedup.sources.files.formats.jsonl.line_runs", refuse)
    rows, ((_, _, reason),) = corpus_files.read_all(path, tmp_path / "b.txt.gz")
    assert ["a text"] == [row.text for row in rows]
    assert "expected memory for its records, found none left" in reason
