"""Damaged files, many in one process: run as a program, it reads them one by one and says which it is at.

``python -m tests.fuzzing KIND FIRST END`` prints the number of each mutation before it is read. A mutation that ends
the process, or takes longer than `SECONDS`, is the last number printed; one that raises anything but our own errors is
printed with what it raised.
"""

from __future__ import annotations

import io
import json
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.errors import DedupError
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import archive_files, corpus_files

SECONDS = 60
WORDS = ["swing", "bridge", "closed", "road", "ferry", "market", "naïve", "北京", "grain", "hall", "stalls"]


def records(count: int = 60) -> list[corpus_files.Record]:
    """Give texts of a few words, ids, and numbers."""
    rng = random.Random(7)
    return [
        {"text": " ".join(rng.choices(WORDS, k=rng.randrange(12))), "key": f"k{i}", "n": i % 7} for i in range(count)
    ]


def table(form: str) -> pa.Table:
    """Give the records as a table whose texts are held in some form."""
    made = corpus_files.table(records())
    texts = made.column("text").combine_chunks()
    kinds = {"large": pa.large_string(), "view": pa.string_view()}
    if form == "dictionary":
        return made.set_column(0, "text", texts.dictionary_encode())
    return made.set_column(0, "text", texts.cast(kinds[form])) if form in kinds else made


def ipc(form: str, codec: str | None, *, stream: bool) -> bytes:
    """Write Arrow IPC."""
    out, data = io.BytesIO(), table(form)
    options = pa.ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=True)
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(out, data.schema, options=options) as writer:
        for batch in data.to_batches(max_chunksize=20):
            writer.write_batch(batch)
    return out.getvalue()


def parquet(form: str, **options: object) -> bytes:
    """Write Parquet."""
    out = io.BytesIO()
    pq.write_table(table(form), out, row_group_size=20, **options)
    return out.getvalue()


def texts_of_records() -> list[str]:
    """Give the texts of the records."""
    return [str(record["text"]) for record in records()]


COLUMNS = {"warc": ("url", "date"), "warc.gz": ("url", "date"), "mediawiki": ("id", "title")}
"""The columns of the id and another one, where they are not those of `records`."""

KINDS: dict[str, tuple[str, list[Callable[[], bytes]]]] = {
    "arrow": (
        ".arrow",
        [
            *(
                lambda form=form, stream=stream: ipc(form, None, stream=stream)  # type: ignore[misc]
                for form in ("plain", "large", "view", "dictionary")
                for stream in (False, True)
            ),
            lambda: ipc("plain", "lz4", stream=False),
            lambda: ipc("plain", "zstd", stream=True),
        ],
    ),
    "parquet": (
        ".parquet",
        [
            lambda: parquet("plain"),
            lambda: parquet("plain", compression="none", use_dictionary=False),
            lambda: parquet("dictionary", compression="zstd"),
            lambda: parquet("large", data_page_version="2.0", compression="gzip"),
            lambda: parquet("plain", column_encoding={"text": "DELTA_BYTE_ARRAY"}, use_dictionary=False),
        ],
    ),
    "jsonl": (".jsonl", [lambda: corpus_files.as_lines(records())]),
    "json": (
        ".json",
        [
            lambda: corpus_files.as_json(records()),
            lambda: b"\n".join(json.dumps(record, indent=1).encode() for record in records()),
        ],
    ),
    "csv": (".csv", [lambda: corpus_files.as_csv(records())]),
    "txt": (".txt", [lambda: "\n".join(str(record["text"]) for record in records()).encode()]),
    **{
        f"jsonl{suffix}": (f".jsonl{suffix}", [lambda pack=pack: pack(corpus_files.as_lines(records()))])  # type: ignore[misc]
        for suffix, pack in corpus_files.PACKERS.items()
        if suffix
    },
    "warc": (".warc", [lambda: archive_files.wet(texts_of_records())]),
    "warc.gz": (".warc.gz", [lambda: archive_files.wet(texts_of_records(), packed=True)]),
    "mediawiki": (".xml", [lambda: archive_files.dump(texts_of_records())]),
    "unnamed": ("", [*(lambda write=write: write(records()) for write in corpus_files.WRITERS.values())]),  # type: ignore[misc]
}


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Damage some bytes: flip, overwrite with numbers that hurt, cut, repeat, take out."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(found) + 1)
        match rng.randrange(8):
            case 0 | 1:
                if at < len(found):
                    found[at] ^= 1 << rng.randrange(8)
            case 2:
                found[at : at + 1] = bytes([rng.randrange(256)])
            case 3 | 4:
                width = rng.choice((4, 8))
                number = rng.choice((0, 1, -1, len(data), 2**31 - 1, -(2**31), 2**30, rng.randrange(-1000, 1000)))
                at -= at % width
                found[at : at + width] = (number % 2 ** (8 * width)).to_bytes(width, "little")
            case 5:
                del found[at:]
            case 6:
                found[at:at] = found[at : at + rng.randrange(64)]
            case _:
                del found[at : at + rng.randrange(64)]
    return bytes(found)


def read(path: Path, id: str, other: str) -> None:
    """Read a file to its end, every text of it."""
    for batch in read_batches(Listing([path]), id=id, extra=[other]):
        corpus_files.decoded(batch)
        for column in batch.extra.values():
            column.to_pylist()


def main() -> None:
    """Read some mutations."""
    kind, first, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    suffix, makers = KINDS[kind]
    columns = COLUMNS.get(kind, ("key", "n"))
    wholes = [make() for make in makers]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        for data in wholes:
            path.write_bytes(data)
            read(path, *columns)
        for number in range(first, end):
            print(number, flush=True)
            path.write_bytes(mutated(wholes[number % len(wholes)], random.Random(number)))
            signal.alarm(SECONDS)
            try:
                read(path, *columns)
            except DedupError:
                pass
            except BaseException:  # noqa: BLE001  (whatever it is, it is a fault)
                print(f"raised at {number}: {traceback.format_exc()}", flush=True)
            signal.alarm(0)
    print("end", flush=True)


if __name__ == "__main__":
    main()
