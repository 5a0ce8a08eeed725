"""Paths, folders and patterns as one sorted list of files."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import InputError, ParameterError
from dedup.sources.files.chosen.selecting import REPORT
from dedup.sources.files.listing import Listing
from dedup.sources.files.rejects import Errors, Reject


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with files of many names, and go there."""
    names = (
        "b.jsonl a.jsonl.gz sub/c.TXT sub/d.csv.zst sub/deep/e.parquet f.arrow.xz notes.md g.pdf .hidden.txt .git/h.txt"
    )
    for name in names.split():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    report = tmp_path / "report"
    report.mkdir()
    for name in REPORT:
        (report / name).write_bytes(b"")
    (report / "clusters.parquet").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*patterns: str, format: str | None = None) -> list[tuple[str, str, str | None]]:
    """Give path, format and compression of each file."""
    return [(entry.path, entry.format, entry.compression) for entry in Listing(patterns, format=format)]


def test_a_folder(folder: Path) -> None:
    """Known names to the bottom, sorted; nothing hidden, no report."""
    assert [
        ("./a.jsonl.gz", "jsonl", "gzip"),
        ("./b.jsonl", "jsonl", None),
        ("./f.arrow.xz", "arrow", "xz"),
        ("./notes.md", "txt", None),
        ("./sub/c.TXT", "txt", None),
        ("./sub/d.csv.zst", "csv", "zstd"),
        ("./sub/deep/e.parquet", "parquet", None),
    ] == told(".")


def test_patterns(folder: Path) -> None:
    """Patterns, with ** for folders; what a pattern matches is a text where its name says nothing."""
    assert ["a.jsonl.gz", "b.jsonl"] == [path for path, _, _ in told("*.jsonl*")]
    assert ["sub/c.TXT", "sub/d.csv.zst"] == [path for path, _, _ in told("sub/*.*")]
    assert ["sub/deep/e.parquet"] == [
        path for path, _, _ in told("**/*.parquet", "sub/**/*.parquet") if "report" not in path
    ]
    assert [("notes.md", "txt", None)] == told("note?.md")
    (folder / "what?.txt").write_text("a text")
    (folder / "whatx.txt").write_text("another")
    assert ["what?.txt"] == [path for path, _, _ in told("what?.txt")]


def test_each_file_once(folder: Path) -> None:
    """A file that is named twice, by another path or by a link, is one file, under the first of its paths."""
    os.symlink("b.jsonl", "z.jsonl")
    os.symlink("sub", "other")
    expected = told("b.jsonl", "sub")
    assert ["b.jsonl", "sub/c.TXT", "sub/d.csv.zst", "sub/deep/e.parquet"] == [path for path, _, _ in expected]
    assert expected == told("sub", "b.jsonl", "b.jsonl", "sub/c.TXT", "z.jsonl", "sub")
    assert ["other/c.TXT"] == [path for path, _, _ in told("sub/c.TXT", "other/c.TXT")]


@given(st.permutations(["b.jsonl", "a.jsonl.gz", "sub", "*.md", "f.arrow.xz"]))
def test_the_order_of_the_names(names: list[str]) -> None:
    """Whatever the order in which files are named, the list is the same."""
    here = Path(__file__).parents[2]
    patterns = {
        "b.jsonl": "table_rows.py",
        "a.jsonl.gz": "corpus_files.py",
        "sub": "test_*.py",
        "*.md": "kernel_arrays.py",
    }
    listing = Listing([here / patterns.get(name, name) for name in names if name in patterns])
    paths = [entry.path for entry in listing]
    assert sorted(paths) == paths
    assert len(paths) >= 5
    assert [[path, os.stat(path).st_size, os.stat(path).st_mtime_ns] for path in paths] == listing.fingerprint()


def test_what_is_not_there(folder: Path) -> None:
    """A path or pattern without a file is a reject; no file at all is an error."""
    listing = Listing(["b.jsonl", "no.jsonl", "no*.csv"])
    assert ["b.jsonl"] == [entry.path for entry in listing]
    assert [("no*.csv", "no file matches"), ("no.jsonl", "No such file or directory")] == [
        (reject.file, reject.reason) for reject in listing.rejects
    ]
    (folder / "empty").mkdir()
    for patterns in (["no.jsonl"], ["empty"], ["nope*"], []):
        with pytest.raises(InputError, match="expected readable texts, found none in"):
            Listing(patterns)


def test_a_format_for_all(folder: Path) -> None:
    """A given format replaces the format in a name; a compression in the name is kept."""
    assert [("g.pdf", "jsonl", None), ("sub/d.csv.zst", "jsonl", "zstd")] == told(
        "g.pdf", "sub/d.csv.zst", format="jsonl"
    )
    assert [("g.pdf", "csv", "gzip")] == told("g.pdf", format="csv.gz")
    for wrong in ("xml", "gz", "", ".jsonl.rar"):
        with pytest.raises(ParameterError, match="format: expected one of 'jsonl'"):
            told("b.jsonl", format=wrong)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept, so that it can be read again; its fingerprint is of what came in."""
    prints = []
    for data in (b"one", b"one", b"two"):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        listing = Listing(["-"])
        (entry,) = listing
        assert ("-", "txt", None, 3) == entry[:4]
        assert data == Path(entry.source).read_bytes() == Path(entry.source).read_bytes()
        prints.append(listing.fingerprint())
        source = str(entry.source)  # not the name itself, which keeps the copy
        del entry, listing
    assert prints[0] == prints[1] != prints[2]
    assert not Path(source).exists()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(b"x"))))
    assert [("-", "jsonl", "gzip")] == told("-", format="jsonl.gz")


# ------------------------------------------------------------------------------------------ errors


def test_policies() -> None:
    """When a search stops: never, at the first, above a count, above a share of all."""
    reject = Reject("a.jsonl", 3, 120, "not JSON")
    assert "a.jsonl:3: not JSON" == str(reject)
    Errors().check(10**6, 10**6, reject, done=True)
    Errors("fail").check(0, 10, None, done=True)
    with pytest.raises(InputError, match="a.jsonl:3: not JSON; mend it, or"):
        Errors("fail").check(1, 10, reject, done=False)
    Errors(max_errors=2).check(2, 3, reject, done=True)
    Errors(max_errors="2").check(2, 3, reject, done=True)
    for limit in (2, "2"):
        with pytest.raises(
            InputError, match="max_errors: expected at most 2 rejected, found more; the first: a.jsonl:3"
        ):
            Errors(max_errors=limit).check(3, 300, reject, done=False)
    Errors(max_errors="1%").check(1, 100, reject, done=True)
    Errors(max_errors="1%").check(2, 2, reject, done=False)
    with pytest.raises(InputError, match="expected at most 1% rejected, found 2 of 199 records"):
        Errors(max_errors="1%").check(2, 199, reject, done=True)
    Errors(max_errors=" 1.5 %").check(3, 200, reject, done=True)


@pytest.mark.parametrize("wrong", [-1, True, 1.5, "many", "-1%", "101%", "1.5", ""])
def test_wrong_limits(wrong: object) -> None:
    """What is neither a count nor a share is refused at once."""
    with pytest.raises(ParameterError, match="max_errors: expected a count from 0 on or a share"):
        Errors(max_errors=wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="on_error: expected 'quarantine' or 'skip' or 'fail'"):
        Errors(on_error="ignore")
