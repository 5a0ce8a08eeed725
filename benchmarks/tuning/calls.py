"""The calls that are measured: each is made of some texts, outside the clock, and tells of its stages as it runs."""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from benchmarks.corpora import named

Stage = Callable[[str, int, int], None]
Call = Callable[[Stage], Any]
"""Runs once, and tells of its stages; what it returns is compared between values."""

Prepare = Callable[[list[str], int], Call]
"""Makes the call of some texts and a number of threads."""


def searching(**options: Any) -> Prepare:
    """Search for duplicates."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_duplicates

        return lambda told: find_duplicates(fresh(texts), threads=threads, progress=told, **options)

    return prepare


def comparing_titles(**options: Any) -> Prepare:
    """Search for near titles by edits: the first words of each text, 60 characters of them."""

    def prepare(texts: list[str], threads: int) -> Call:
        return searching(metric="edit", threshold=0.8, **options)([text[:60] for text in texts], threads)

    return prepare


def labelling(**options: Any) -> Prepare:
    """Search within labels: each text has one of its own but for every other, which has that of the text before."""

    def prepare(texts: list[str], threads: int) -> Call:
        labels = [f"label {number // 2}" for number in range(len(texts))]
        return searching(within=labels, **options)(texts, threads)

    return prepare


def bounded(suffix: str, memory: str, **options: Any) -> Prepare:
    """Search in a file within a bound of memory, through a work directory."""
    return reading(suffix, memory=memory, **options)


def adding(batch: int, **options: Any) -> Prepare:
    """Add texts to a new index on disk, in batches that are committed, and ask for all of them."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import Index

        def call(_: Stage) -> Any:
            with tempfile.TemporaryDirectory(prefix="dedup-tuning-") as folder:
                path = os.path.join(folder, "index")
                with Index.create(path, **options) as index:
                    for start in range(0, len(texts), batch):
                        some = texts[start : start + batch]
                        index.add(some, ids=list(range(start, start + len(some))), threads=threads)
                        index.commit()
                    return index.query(texts, threads=threads)

        return call

    return prepare


def listing(**options: Any) -> Prepare:
    """Search for duplicates, and make the table of pairs."""
    prepare_search = searching(**options)

    def prepare(texts: list[str], threads: int) -> Call:
        search = prepare_search(texts, threads)

        def call(told: Stage) -> Any:
            found = search(told)
            _ = found.pairs  # it is made when it is asked for
            return found

        return call

    return prepare


def finding_nothing(**options: Any) -> Prepare:
    """Search for duplicates among texts that have none, not even at half the threshold."""
    search = searching(**options)

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_duplicates

        return search(find_duplicates(texts, threshold=0.4).filter(texts), threads)

    return prepare


def filtering(**options: Any) -> Prepare:
    """Filter texts by a search that was made before."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_duplicates

        found = find_duplicates(texts, threads=threads, **options)
        return lambda _: found.filter(texts)

    return prepare


def repeating(**options: Any) -> Prepare:
    """Search for repeats."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import find_repeats

        return lambda told: find_repeats(fresh(texts), threads=threads, progress=told, **options)

    return prepare


def matching(**options: Any) -> Prepare:
    """Match every other text against the rest."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import match

        return lambda told: match(fresh(texts[::2]), fresh(texts[1::2]), threads=threads, progress=told, **options)

    return prepare


def reading(suffix: str, **options: Any) -> Prepare:
    """Search in a file of a format: .jsonl, .csv or .parquet, the first two compressed too (.jsonl.gz)."""

    def prepare(texts: list[str], threads: int) -> Call:
        from dedup import files, find_duplicates

        path = written(texts, suffix)
        return lambda told: find_duplicates(files(path, id="n"), threads=threads, progress=told, **options)

    return prepare


def fresh(texts: list[str]) -> list[str]:
    """Return the texts as strings of which nobody has asked for the UTF-8: Python keeps it."""
    return list(named.fresh(texts))


def written(texts: list[str], suffix: str) -> str:
    """Return the path of a file with these texts; the folder is removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="dedup-tuning-")
    atexit.register(folder.cleanup)
    path = os.path.join(folder.name, f"texts{suffix}")
    whole = [text.encode("utf-8", "replace").decode() for text in texts]
    table = pa.table({"n": range(len(texts)), "text": pa.array(whole)})
    if suffix == ".parquet":
        pq.write_table(table, path, row_group_size=1 << 14)
        return path
    sink = pa.BufferOutputStream()
    if suffix.startswith(".csv"):
        pc.write_csv(table, sink)
    else:
        for number, text in enumerate(whole):
            sink.write(json.dumps({"n": number, "text": text}, ensure_ascii=False).encode() + b"\n")
    with pa.output_stream(path) as stream:  # compressed as its suffix says
        stream.write(sink.getvalue())
    return path
