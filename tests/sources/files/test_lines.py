"""A text a line: what is a text, what is rejected, and what is written back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import InputError, ParameterError
from dedup.report.apply import apply_report
from dedup.report.write import write_run_report
from dedup.sources.files.batch import BatchLimits
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from tests import corpus_files, strategies
from tests.corpus_files import PACKERS, read_all


def plain(data: bytes) -> tuple[list[tuple[int, str]], list[int]]:
    """Give the texts with their lines, and the lines that are not UTF-8, with the standard library only."""
    texts, bad = [], []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        content = line.removesuffix(b"\r")
        if content.strip():
            try:
                texts.append((number, content.decode()))
            except UnicodeDecodeError:
                bad.append(number)
    return texts, bad


texts = strategies.characters().map(lambda text: text.encode("utf-8", "replace"))
parts = st.lists(texts | st.sampled_from([b"\n", b"\r\n", b" ", b"\xff", b"\xef\xbb\xbf", b"\0"]), max_size=12)


@given(parts, st.sampled_from(sorted(PACKERS)), st.sampled_from([1, 20, 1 << 20]))
def test_lines_are_texts(pieces: list[bytes], packing: str, size: int) -> None:
    """Each is read with its number, wherever batches end, and from any token on."""
    data = b"".join(pieces)
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"a.any{packing}"
        path.write_bytes(PACKERS[packing](data))
        rows, rejects = read_all(path, format="lines", limits=BatchLimits(size=size))
        expected, bad = plain(data)
        assert expected == [(row.number, row.text) for row in rows]
        assert bad == [line for line, _, _ in rejects]
        listing = Listing([path], format="lines")
        batches = list(read_batches(listing, limits=BatchLimits(size=size)))
        for number, batch in enumerate(batches):
            rest = read_batches(listing, after=batch.more, limits=BatchLimits(size=size))
            assert [each.more for each in rest] == [each.more for each in batches[number + 1 :]]


def test_kept_lines_keep_their_bytes(tmp_path: Path) -> None:
    """Removed lines are left out; blank ones, the mark and all line breaks are as they were."""
    data = b"\xef\xbb\xbfone two three\r\n\n  \nOne, two three!\nfour five six\r\nfour five six\nseven"
    (tmp_path / "titles.txt").write_bytes(data)
    listing = Listing([tmp_path / "titles.txt"], format="lines")
    corpus, _ = corpus_files.searched(listing)
    result = dedup.find_duplicates(corpus.texts, shingle="words:1")
    write_run_report(tmp_path / "report", result, listing=corpus.listing)
    applied = apply_report(tmp_path / "report", tmp_path / "out")
    assert (3, 2) == (applied.kept, applied.removed)
    kept = b"\xef\xbb\xbfone two three\r\n\n  \nfour five six\r\nseven"
    assert kept == (tmp_path / "out" / "titles.txt").read_bytes()
    with pytest.raises(ParameterError, match="annotate: expected files of records with fields, found .* a text a line"):
        apply_report(tmp_path / "report", tmp_path / "more", annotate=True)


def test_lines_have_no_columns(tmp_path: Path) -> None:
    """A column, an id or a column to keep by is an error that says so."""
    (tmp_path / "a.txt").write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(ParameterError, match='column="body": expected files with columns'):
        dedup.find_duplicates(dedup.files(tmp_path / "a.txt", format="lines", column="body"))
    with pytest.raises(InputError, match='id="key": no such column in .*, which has a text a line'):
        dedup.find_duplicates(dedup.files(tmp_path / "a.txt", format="lines", id="key"))
    with pytest.raises(ParameterError, match='keep: expected files with a column "n"'):
        dedup.find_duplicates(dedup.files(tmp_path / "a.txt", format="lines"), keep="max:n")
    found = dedup.find_duplicates(dedup.files(tmp_path / "a.txt", format="lines"))
    assert [f"{tmp_path}/a.txt:1", f"{tmp_path}/a.txt:2"] == found.kept.to_pylist()
