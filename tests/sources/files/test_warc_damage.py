"""Damaged WARC files: nothing is lost without a word, wherever reading is cut, and what is written is whole."""

from __future__ import annotations

import gzip
import lzma
import random
import tracemalloc
from pathlib import Path

import pytest

import dedup
from dedup.report.apply import apply_report
from dedup.report.write import write_run_report
from dedup.sources.files.batch import Batch, BatchLimits
from dedup.sources.files.decompress import PIECE
from dedup.sources.files.limits import SMALLEST
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpus_files
from tests.archive_files import dump, record
from tests.corpus_files import read_all

TEXTS = [f"text {number} {'word ' * number}" for number in range(8)]
RECORDS = [record(text.encode(), number=number) for number, text in enumerate(TEXTS)]
MEMBERS = [gzip.compress(part, mtime=0) for part in RECORDS]

Told = tuple[list[tuple[int, str | None]], list[tuple[int | None, int | None, str]]]


def told(batches: list[Batch]) -> Told:
    """Return the numbers and texts of batches, and their rejects."""
    texts = [(row.number, row.text) for batch in batches for row in corpus_files.rows_of(batch)]
    return texts, [(reject.line, reject.offset, reject.reason) for batch in batches for reject in batch.rejects]


def damaged(data: bytes, chance: random.Random, wrong: bytes = bytes(range(256))) -> bytes:
    """Change some bytes, and often leave out the end."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        made[chance.randrange(60, len(made))] = chance.choice(wrong)
    return bytes(made[: chance.randrange(60, len(made))] if chance.random() < 0.3 else made)


def damaged_dump(chance: random.Random) -> bytes:
    """Change a dump of MediaWiki, and often leave out the end."""
    made = bytearray(dump(TEXTS))
    for _ in range(chance.choice((1, 2, 3))):
        at = chance.randrange(60, len(made))
        made[at : at + chance.randrange(9)] = chance.choice((b"", b"<page>", b"</page>", b"<", b"&", b"\xff"))
    return bytes(made[: chance.randrange(60, len(made))] if chance.random() < 0.3 else made)


FORMS = {
    "members.warc.gz": lambda chance: damaged(b"".join(MEMBERS), chance),
    "plain.warc": lambda chance: damaged(b"".join(RECORDS), chance, b"\r\n:0 W9"),
    "one.warc.gz": lambda chance: damaged(gzip.compress(b"".join(RECORDS), mtime=0), chance),
    "short.warc.xz": lambda chance: lzma.compress(b"".join(RECORDS))[: -chance.randrange(1, 60)],
    "dump.xml": damaged_dump,
}


@pytest.mark.parametrize("name", FORMS)
def test_any_batches_any_resumption(name: str, tmp_path: Path) -> None:
    """Reading cut into any batches, and resumed after any of them, tells what one reading tells: no more, no less."""
    chance, path = random.Random(name), tmp_path / name
    for trial in range(25):
        path.write_bytes(FORMS[name](chance))
        try:
            listing = Listing([path])
        except dedup.InputError:  # nothing that can be read is left
            continue
        whole = told(list(read_batches(listing)))
        for limits in (BatchLimits(size=1), BatchLimits(records=2), BatchLimits(records=3), BatchLimits(size=60)):
            batches = list(read_batches(listing, limits=limits))
            assert whole == told(batches), (trial, limits)
            for i, batch in enumerate(batches, start=1):
                rest = list(read_batches(listing, limits=limits, after=batch.more))
                assert told(batches[i:]) == told(rest), (trial, limits, batch.more)


def test_damage_at_the_end_of_a_batch(tmp_path: Path) -> None:
    """What is damaged there is told once, and the next file follows."""
    broken = bytearray(MEMBERS[2])
    broken[10:12] = b"\xff\xff"
    (tmp_path / "a.warc.gz").write_bytes(b"".join([*MEMBERS[:2], bytes(broken), MEMBERS[3]]))
    (tmp_path / "b.warc.gz").write_bytes(MEMBERS[0] + MEMBERS[1][:-9])
    (tmp_path / "c.txt").write_text("another text")
    listing, limits = Listing([tmp_path]), BatchLimits(records=1)
    batches = list(read_batches(listing, limits=limits))
    assert [(0, 3), (1, 2)] == [(batch.file, reject.line) for batch in batches for reject in batch.rejects]
    for i, batch in enumerate(batches, start=1):
        assert told(batches[i:]) == told(list(read_batches(listing, limits=limits, after=batch.more)))
    assert [2, 0, 1] == next(batch.more for batch in batches if batch.file == 1 and batch.rejects)
    (tmp_path / "d.warc").write_bytes(b"".join(RECORDS))
    assert len(TEXTS) == dedup.estimate(tmp_path / "d.warc").texts  # one batch, which is the last


@pytest.mark.parametrize("length", [31, 60, 400, 5_000, SMALLEST + 1, 2_600_000_000, 10**17])
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_a_wrong_length(length: int, name: str, tmp_path: Path) -> None:
    """Whatever a length says, the record alone is lost; numbers do not depend on the limit of a record."""
    filler = record(b"x" * SMALLEST, "metadata", number=99)
    wrong = record(b"text number 2 of the crawl", number=2, Content_Length=length)
    parts = [RECORDS[0], wrong, RECORDS[2], filler, RECORDS[3], *[filler] * 3, RECORDS[4]]
    data = [gzip.compress(part, 1) for part in parts] if name.endswith("gz") else parts
    path = tmp_path / name
    path.write_bytes(b"".join(data))
    for listing in (Listing([path]), Listing([path]).bounded(1)):
        texts, rejects = told(list(read_batches(listing)))
        assert [(n, TEXTS[i]) for n, i in ((1, 0), (3, 2), (5, 3), (9, 4))] == texts
        assert [2] == [line for line, _, _ in rejects]
        assert "as its Content-Length says" in rejects[0][2]


def test_a_length_that_ends_at_a_line_break(tmp_path: Path) -> None:
    """A record that would take a part of the next one is lost; one that contains a record, and ends well, is not."""
    path = tmp_path / "a.warc"
    next_one = record(b"one\r\n\r\nmore", number=3)
    wrong = record(b"text", number=2)
    length = len(b"text\r\n\r\n") + next_one.index(b"\r\n\r\nmore")
    wrong = wrong.replace(b"Content-Length: 4", f"Content-Length: {length}".encode())
    path.write_bytes(RECORDS[0] + wrong + next_one + RECORDS[4])
    texts, rejects = told(list(read_batches(Listing([path]))))
    assert [1, 3, 4] == [number for number, _ in texts]
    assert "one\r\n\r\nmore" == texts[1][1]
    assert [2] == [line for line, _, _ in rejects]
    path.write_bytes(RECORDS[0] + record(RECORDS[1] + RECORDS[2], number=2) + RECORDS[4])
    texts, rejects = told(list(read_batches(Listing([path]))))
    assert ([1, 2, 3], []) == ([number for number, _ in texts], rejects)


def test_a_header_without_its_end(tmp_path: Path) -> None:
    """It does not become that of the next record."""
    path = tmp_path / "a.warc"
    cut = RECORDS[1][: RECORDS[1].index(b"Content-Length")]
    path.write_bytes(RECORDS[0] + cut + RECORDS[2])
    rows, rejects = read_all(path, id="url")
    assert [(1, "https://example.org/0"), (3, "https://example.org/2")] == [(row.number, row.id) for row in rows]
    assert [(2, "expected the end of its header, found another record")] == [(n, reason) for n, _, reason in rejects]


def test_large_records_end_where_they_say(tmp_path: Path) -> None:
    """Records of any size have the same numbers, whatever the limit of a record is."""
    parts = [RECORDS[1]]
    for size in (SMALLEST - 1, SMALLEST, SMALLEST + 1, 3 * SMALLEST):
        parts += [record(b"y" * size, "metadata"), record(b"z" * size, "metadata")[:-900] + b"\r\n\r\n", RECORDS[2]]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"".join(parts), 1))
    seen = [told(list(read_batches(listing))) for listing in (Listing([path]), Listing([path]).bounded(1))]
    assert [1, 4, 7, 10, 13] == [number for number, _ in seen[0][0]]
    assert seen[0][0] == seen[1][0]
    assert [3, 6, 9, 12] == [line for line, _, _ in seen[0][1]]


@pytest.mark.parametrize("before", [*range(250, 262), 5, 0, -1])
def test_a_record_after_much_junk(before: int, tmp_path: Path) -> None:
    """It is found wherever it begins in the bytes that are read at a time."""
    for pieces in (2, 3):
        path = tmp_path / "a.warc"
        junk = b"x" * (pieces * PIECE - before - len(RECORDS[1]) - 1) + b"\n"
        path.write_bytes(RECORDS[1] + junk + RECORDS[2] + RECORDS[3])
        texts, rejects = told(list(read_batches(Listing([path]).bounded(1))))
        assert [(1, TEXTS[1]), (3, TEXTS[2]), (4, TEXTS[3])] == texts
        assert [2] == [line for line, _, _ in rejects]


def test_damaged_members_are_counted(tmp_path: Path) -> None:
    """However many are damaged, and wherever: each is lost or not, none is passed over, and no number changes."""
    chance, path = random.Random(6), tmp_path / "a.warc.gz"
    for _ in range(150):
        data = [bytearray(member) for member in MEMBERS]
        for i in chance.sample(range(1, 7), chance.choice((1, 2, 3, 5))):
            data[i][chance.randrange(10, min(len(data[i]), chance.choice((12, 40, 400))))] ^= 1 << chance.randrange(8)
        path.write_bytes(b"".join(data))
        texts, rejects = told(list(read_batches(Listing([path]))))
        assert list(range(1, 9)) == sorted([number for number, _ in texts] + [line or 0 for line, _, _ in rejects])
        assert [(number, TEXTS[number - 1]) for number, _ in texts] == texts


def test_a_packed_page_within_a_damaged_member(tmp_path: Path) -> None:
    """It is no member."""
    inner = gzip.compress(b"<!doctype html><p>" + random.Random(1).randbytes(900))
    outer = bytearray(gzip.compress(record(inner, "metadata"), 0, mtime=0))
    outer[60] ^= 1
    path = tmp_path / "a.warc.gz"
    path.write_bytes(MEMBERS[0] + bytes(outer) + MEMBERS[2])
    texts, rejects = told(list(read_batches(Listing([path]))))
    assert ([1, 3], [2]) == ([number for number, _ in texts], [line for line, _, _ in rejects])


@pytest.mark.parametrize("name", ["members.warc.gz", "plain.warc", "one.warc.gz"])
def test_what_is_written_is_whole(name: str, tmp_path: Path) -> None:
    """What is kept of a damaged file has no damage, and has all texts that could be read."""
    chance = random.Random(name)
    for trial in range(30):
        folder = tmp_path / str(trial)
        folder.mkdir()
        path = folder / name
        path.write_bytes(FORMS[name](chance))
        try:
            result = dedup.find_duplicates(dedup.files(path, on_error="skip"))
        except dedup.InputError:
            continue
        write_run_report(folder / "report", result, options={"column": "text"})
        apply_report(folder / "report", folder / "out")
        if name.endswith(".gz"):
            gzip.decompress((folder / "out" / name).read_bytes())
        removed = {int(each.rpartition(":")[2]) for each in result.removed.to_pylist()}
        kept = [text for number, text in told(list(read_batches(Listing([path]))))[0] if number not in removed]
        texts, rejects = told(list(read_batches(Listing([folder / "out" / name]))))
        assert (kept, []) == ([text for _, text in texts], rejects), trial


def test_a_member_that_is_cut_off_is_not_written(tmp_path: Path) -> None:
    """Wherever the file ends, a kept record is copied up to the end of its member."""
    for cut in (1, 9, 10, 11, 14, 40, len(MEMBERS[2]) - 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "a.warc.gz").write_bytes(MEMBERS[0] + MEMBERS[1] + MEMBERS[2][:cut])
        result = dedup.find_duplicates(dedup.files(folder / "a.warc.gz", on_error="skip"))
        write_run_report(folder / "report", result, options={"column": "text"})
        apply_report(folder / "report", folder / "out")
        assert MEMBERS[0] + MEMBERS[1] == (folder / "out" / "a.warc.gz").read_bytes()


def test_line_breaks_without_end(tmp_path: Path) -> None:
    """They are not held: so many are a damaged record, and the next one is read."""
    path = tmp_path / "a.warc.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(RECORDS[1])
        for _ in range(64):
            file.write(b"\r\n" * (1 << 20))
        file.write(RECORDS[2])
    tracemalloc.start()
    try:
        texts, rejects = told(list(read_batches(Listing([path]).bounded(1))))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ([1, 3], [2]) == ([number for number, _ in texts], [line for line, _, _ in rejects])
    assert most < 16 << 20
