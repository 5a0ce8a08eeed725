"""What an index refuses: an error of ours that says what was expected, what was found, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xxhash

import dedup
from dedup.errors import DedupError, InputError, ParameterError, StorageError
from dedup.storage import atomic

KEY = b"thirty-two bytes of a secret key"
TEXTS = {"a": "the first ferry left the harbour at noon", "b": "repairs to the northern mole"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index of two texts."""
    with dedup.Index.create(tmp_path / "index", threshold=0.8) as index:
        index.add(TEXTS)
    return tmp_path / "index"


OPENED: dict[str, tuple[Callable[[Any], object], type[DedupError], str]] = {
    "an id twice": (lambda i: i.add({"a": "x"}), InputError, "expected new ids, found 'a'.*replace=True"),
    "an id twice, filtered": (lambda i: i.filter_new({"a": "x"}), InputError, "expected new ids, found 'a'"),
    "ids of another type": (
        lambda i: i.add(["x"], ids=[1]),
        InputError,
        "expected ids that are str.*found ids that are integers",
    ),
    "no ids": (lambda i: i.add(["x"]), InputError, r"expected ids that are str.*found none \(running numbers\)"),
    "nothing to replace": (lambda i: i.add(["x"], replace=True), ParameterError, "replace: expected texts with ids"),
    "replace how": (lambda i: i.add(TEXTS, replace="yes"), ParameterError, "replace: expected True or False"),
    "an unknown id": (lambda i: i.remove(["a", "z"]), InputError, "found 'z'.*nothing was removed"),
    "an id of another type": (lambda i: i.remove([3]), InputError, "found 3"),
    "ids of none": (lambda i: i.remove(None), InputError, "expected a list of ids, found NoneType"),
    "the same id twice": (lambda i: i.remove(["a", "a"]), InputError, "expected unique ids"),
    "a lower threshold": (lambda i: i.query(["x"], threshold=0.5), ParameterError, "at least 0.8.*found 0.5"),
    "a threshold of text": (lambda i: i.query(["x"], threshold="1"), ParameterError, "threshold: expected"),
    "containment": (lambda i: i.query(["x"], metric="containment"), ParameterError, "containment=True"),
    "a metric": (lambda i: i.query(["x"], metric="cosine"), ParameterError, "metric: expected"),
    "a limit of 0": (lambda i: i.query(["x"], limit=0), ParameterError, "limit: expected"),
    "an order": (lambda i: i.query(["x"], order="last"), ParameterError, "order: expected"),
    "passages of an index of hashes": (
        lambda i: i.passages(["x"]),
        ParameterError,
        'passages: expected an index made with store="text" and passages=',
    ),
    "one text to ask": (lambda i: i.query("x"), InputError, "one str"),
    "one text to add": (lambda i: i.add("x"), InputError, "one str"),
    "one text to filter": (lambda i: i.filter_new("x"), InputError, "one str"),
    "texts for seen": (lambda i: i.seen(["x"]), InputError, "expected one str, found list"),
    "texts for best": (lambda i: i.best(None), InputError, "expected one str, found NoneType"),
    "numbers": (lambda i: i.add({"c": 3}), InputError, "expected a text"),
    "files to filter": (lambda i: i.filter_new(Path("x")), InputError, "expected readable texts, found none in 'x'"),
    "an output for no files": (
        lambda i: i.filter_new(["x"], output="x"),
        ParameterError,
        "output: expected files to write anew, found list",
    ),
    "resume without ids": (lambda i: i.add(["x"], resume=True), ParameterError, "resume: expected texts with ids"),
    "resume how": (lambda i: i.add(TEXTS, resume=1), ParameterError, "resume: expected True or False"),
    "another text to resume": (
        lambda i: i.add({"c": "x y z", "a": "x"}, resume=True),
        InputError,
        "expected new ids, found 'a'.*its text is another one; give replace=True",
    ),
    "itself": (lambda i: i.merge(i), ParameterError, "expected another index, found this one"),
    "nothing to merge": (lambda i: i.merge("nowhere"), StorageError, "expected an index in nowhere, found none"),
    "a merge of a number": (lambda i: i.merge(3), ParameterError, "expected a path"),
}


@pytest.mark.parametrize("what", OPENED)
def test_calls(what: str, folder: Path) -> None:
    """An index that is open refuses, and is as it was."""
    call, kind, says = OPENED[what]
    with dedup.Index.open(folder, write=True) as index:
        with pytest.raises(kind, match=says):
            call(index)
        assert 2 == len(index)
        assert index.seen(TEXTS["a"])
        assert "a" in index
        assert 3 not in index
    assert dedup.Index.open(folder).check().ok


def test_methods_that_do_not_fit(tmp_path: Path) -> None:
    """A method of another name, or one that cannot find containment."""
    for options, says in (
        ({"method": "auto"}, "method: expected 'exact' or 'lsh', found 'auto'"),
        ({"method": None}, "method: expected 'exact' or 'lsh', found None"),
        ({"method": "lsh", "containment": True}, 'method: expected "exact" with containment.*leave one of them out'),
    ):
        with pytest.raises(ParameterError, match=says):
            dedup.Index.create(tmp_path / "none", **options)
    with dedup.Index.create(tmp_path / "bands", method="lsh") as index:
        with pytest.raises(ParameterError, match="metric: expected an index made with containment=True"):
            index.query(["x"], metric="containment")
        dedup.Index.create(tmp_path / "exact").close()
        with pytest.raises(ParameterError, match="method: expected 'lsh' as in .*found 'exact' in"):
            index.merge(tmp_path / "exact")


def test_passages_that_cannot_be_found(tmp_path: Path) -> None:
    """Shorter ones than the index was made for, of one text, or in an index that keeps no texts."""
    for options, says in (
        ({"store": "texts"}, "store: expected 'hashes' or 'text', found 'texts'"),
        ({"store": None}, "store: expected 'hashes' or 'text', found None"),
        ({"passages": 50}, "passages: expected store=\"text\" .*found store='hashes'"),
        ({"store": "text", "passages": 0}, "passages: expected a whole number from 1"),
        ({"store": "text", "passages": "50"}, "passages: expected a whole number from 1"),
    ):
        with pytest.raises(ParameterError, match=says):
            dedup.Index.create(tmp_path / "none", **options)
        assert not (tmp_path / "none").exists()
    with dedup.Index.create(tmp_path / "texts", store="text", passages=5) as index:
        index.add(TEXTS)
        for words, says in ((4, "min_words: expected at least 5, for which .*found 4"), (0, "min_words: expected a")):
            with pytest.raises(ParameterError, match=says):
                index.passages(["x"], min_words=words)
        with pytest.raises(InputError, match="one str"):
            index.passages("x")
        with pytest.raises(InputError, match="expected a text"):
            index.passages([3])
        with dedup.Index.create(tmp_path / "hashes") as other, pytest.raises(ParameterError, match="store: expected"):
            other.merge(tmp_path / "texts")


@pytest.mark.parametrize("verb", ["add", "filter_new", "remove", "merge"])
def test_readers_do_not_write(verb: str, folder: Path) -> None:
    """An index that is open for reading says how to open it."""
    with dedup.Index.open(folder) as index, pytest.raises(StorageError, match=f"{verb}: .*write=True"):
        getattr(index, verb)(["x"])


def test_a_second_writer(folder: Path) -> None:
    """It gets an error that names the first, in this process and in another one; a reader does not."""
    code = f"import dedup; dedup.Index.open({str(folder)!r}, write=True)"
    with dedup.Index.open(folder, write=True), dedup.Index.open(folder) as reader:
        with pytest.raises(StorageError, match=f"in use by process {os.getpid()} on "):
            dedup.Index.open(folder, write=True)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
        assert f"in use by process {os.getpid()} on " in done.stderr
        assert 2 == len(reader)
    dedup.Index.open(folder, write=True).close()


def test_other_options(folder: Path, tmp_path: Path) -> None:
    """Another key, Unicode version, or format: an error that says both sides; so does a merge of other options."""
    with pytest.raises(ParameterError, match="hash_key: expected the key of fingerprint public.*found fingerprint"):
        dedup.Index.open(folder, hash_key=KEY)
    dedup.Index.create(tmp_path / "apart", distinct="numbers").close()
    with (
        dedup.Index.open(tmp_path / "apart", write=True) as apart,
        pytest.raises(ParameterError, match=r"distinct: expected \['numbers'\] as in .*found \[\] in"),
    ):
        apart.merge(folder)
    with dedup.Index.create(tmp_path / "other", threshold=0.5) as other:
        other.add({"c": "x"})
        with pytest.raises(ParameterError, match="threshold: expected 0.5 .*found 0.8"):
            other.merge(folder)
    path = folder / "manifest.json"
    whole = path.read_text(encoding="utf-8")
    for change, says in (
        (lambda content: content["settings"].update(unicode="99.0.0"), "expected an index for Unicode .* one for 99.0"),
        (lambda content: content.update(format=1), "expected an index of format 2 .* found format 1"),
    ):
        content = json.loads(whole)["content"]
        change(content)
        data = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        path.write_text(json.dumps({"content": content, "xxh3": xxhash.xxh3_128_hexdigest(data)}), encoding="utf-8")
        with pytest.raises(ParameterError, match=says):
            dedup.Index.open(folder)
    path.write_text(whole, encoding="utf-8")


def test_paths(folder: Path, tmp_path: Path) -> None:
    """Nothing is made where something is, and nothing is opened where no index is."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("x")
    for path, says in ((folder, "found an index"), ("file", "found a file"), ("full", "with 'letter.txt' in it")):
        with pytest.raises(StorageError, match=f"expected nothing at .*{says}"):
            dedup.Index.create(tmp_path / path)
    for path in ("file", "full", "nowhere"):
        for write in (False, True):
            with pytest.raises(StorageError, match="expected an index in "):
                dedup.Index.open(tmp_path / path, write=write)
    assert ["letter.txt"] == os.listdir(tmp_path / "full")
    assert not (tmp_path / "nowhere").exists()
    wrong = {"threshold": 0, "shingle": "lines:2", "containment": "no", "distinct": "words", "hash_key": b"short"}
    for option, value in wrong.items():
        with pytest.raises(ParameterError, match=f"{option}: expected"):
            dedup.Index.create(tmp_path / "new", **{option: value})
        assert not (tmp_path / "new").exists()


def test_closed(folder: Path) -> None:
    """A closed index says so; an exception in the block loses what was not committed."""
    index = dedup.Index.open(folder, write=True)
    index.close()
    index.close()
    for call in (lambda: len(index), lambda: index.add(["x"]), lambda: index.query(["x"]), lambda: index.seen("x")):
        with pytest.raises(StorageError, match="expected an open index.*closed"):
            call()
    assert "closed" in repr(index)
    with pytest.raises(ZeroDivisionError), dedup.Index.open(folder, write=True) as other:
        other.add({"c": "x"})
        1 // 0  # noqa: B018
    assert 2 == len(dedup.Index.open(folder))


def test_an_interrupted_change(folder: Path) -> None:
    """After Ctrl-C, or an exception of the caller's, in the middle of a change nothing is committed any more."""

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    index = dedup.Index.open(folder, write=True)
    with pytest.raises(KeyboardInterrupt):
        index.add({"c": "some more words"}, progress=stop)
    for call in (lambda: index.add({"d": "x"}), index.commit, lambda: index.seen("x"), index.compact):
        with pytest.raises(StorageError, match="a change of it was interrupted; open it again"):
            call()
    index.close()
    with dedup.Index.open(folder, write=True) as again:
        assert 2 == len(again)
        assert again.check().ok


@pytest.mark.parametrize("verb", ["add", "filter_new"])
def test_a_change_that_the_disk_refuses_cannot_be_committed(
    verb: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error in the middle of an addition there is nothing to commit: a part of it may be missing."""
    texts = {str(i): " ".join(f"w{i}x{k}" for k in range(600)) for i in range(300)}

    def fail(act: str, path: Path, size: int) -> None:
        raise OSError(28, "No space left on device")

    index = dedup.Index.open(folder, write=True)
    monkeypatch.setattr(atomic, "hook", fail)
    with pytest.raises(StorageError, match="No space left"):
        getattr(index, verb)(texts)
    monkeypatch.setattr(atomic, "hook", None)
    for call in (index.commit, lambda: index.add({"d": "x"})):
        with pytest.raises(StorageError, match="a change of it was interrupted; open it again"):
            call()
    index.close()
    with dedup.Index.open(folder, write=True) as again:
        assert 2 == len(again)
        assert len(texts) == again.add(texts)
        assert again.check().ok


def test_a_compaction_that_the_disk_refuses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is as it was, and goes on; a later compaction succeeds."""
    texts = {str(i): " ".join(f"w{i}x{k}" for k in range(600)) for i in range(300)}
    with dedup.Index.open(folder, write=True) as index:
        index.add(texts)
        index.remove(["a"])
        for allowed in (0, 3, 6):
            acts = iter(range(1000))

            def fail(act: str, path: Path, size: int, acts: Any = acts, allowed: int = allowed) -> None:
                if next(acts) >= allowed:
                    raise OSError(28, "No space left on device")

            monkeypatch.setattr(atomic, "hook", fail)
            with pytest.raises(StorageError, match="No space left"):
                index.compact()
            monkeypatch.setattr(atomic, "hook", None)
            assert index.seen(texts["7"])
            assert 301 == len(index)
        index.add({"later": "some other words at the end"})
        index.compact()
        assert 302 == len(index)
        assert index.seen("some other words at the end")
        assert index.check().ok


def test_odd_ids(folder: Path) -> None:
    """Long ones and integers as texts are ids like others; what cannot be UTF-8, or occurs twice, is refused, whole."""
    long, number = "x" * 100_000, "0017"
    with dedup.Index.open(folder, write=True) as index:
        index.add({long: "one two three four five six", number: "seven eight nine ten", "": "an empty name", "17": "z"})
        assert (long, 1.0) == index.best("one two three four five six")
        assert all(name in index for name in (long, number, "", "17", "a"))
        assert 17 not in index
        for ids, says in (
            (["\ud800", "c"], "texts that can be UTF-8"),
            (["c", "c"], "expected unique ids, found 'c' at row 0 and at row 1"),
            (["c", 17], "expected one type"),
            (["c", None], "found null"),
            (["c", 1.5], "found float"),
            (["c", "y" * (1 << 24)], "expected at most 16,777,215 bytes, found 16,777,216"),
        ):
            for verb in (index.add, index.filter_new):
                with pytest.raises(InputError, match=says):
                    verb(["some words here", "other words there"], ids=ids)
                assert 6 == len(index), "nothing of it was added"
                assert "c" not in index
        assert "\ud800" not in index
        with pytest.raises(InputError, match="UTF-8"):
            index.remove(["\ud800"])
        assert 2 == index.remove([long, number])
        index.add({long: "one two three four five six"})
        assert (long, 1.0) == index.best("one two three four five six")
    with dedup.Index.open(folder) as index:
        assert long in index
        assert index.check().ok


def test_odd_texts(folder: Path) -> None:
    """Empty ones, halves of surrogate pairs, and a very long one."""
    words = " ".join(f"w{i}" for i in range(1_300_000))
    assert len(words) > 10_000_000
    texts = {"empty": "", "half": "one \ud800 two three", "long": words, "none": None, "signs": "?! ..."}
    with dedup.Index.open(folder, write=True) as index:
        assert 5 == index.add(texts)
        assert 3 == index.stats.empty
        assert ("half", 1.0) == index.best("one \udfff two three")
        assert ("long", 1.0) == index.best(words.upper())
        assert index.best("") is None
        assert not index.seen("...")
        assert not index.seen("\ud800")
        assert {"e2": "", "s2": "?"} == index.filter_new({"e2": "", "h2": "one two three", "s2": "?", "l2": words})
    with dedup.Index.open(folder) as index:
        assert index.seen(words)
        assert index.check().ok


def test_many_texts_in_memory(folder: Path) -> None:
    """More postings than an empty table has chains, in one addition and in the next ones, before a segment is made."""
    words = {str(n): " ".join(f"w{n}x{k}" for k in range(200)) for n in range(400)}
    with dedup.Index.open(folder, write=True) as index:
        for first in (0, 150, 151):
            last = 151 if first == 150 else first + 150
            index.add({name: words[name] for name in map(str, range(first, last))})
            for name in map(str, range(last)):
                assert (name, 1.0) == index.best(words[name]), "and it ends"
            assert not index.seen(words["399"])
        index.filter_new(words)
        assert 402 == len(index)
        assert all(index.seen(text) for text in words.values())
    with dedup.Index.open(folder) as reader:
        assert 402 == reader.stats.in_memory
        assert list(words) == reader.query(words).pairs["right"].to_pylist()


def test_removed_and_added_again(folder: Path) -> None:
    """The same id and text, in one commit, in the next, twice, and in place of another one."""
    with dedup.Index.open(folder, write=True) as index:
        for _ in range(3):
            assert 1 == index.remove(["a"])
            assert not index.seen(TEXTS["a"])
            assert 1 == index.add({"a": TEXTS["a"]})
            assert ("a", 1.0) == index.best(TEXTS["a"])
            index.commit()
            assert 2 == index.add(TEXTS, replace=True)
            assert ["a"] == index.query([TEXTS["a"]]).pairs["right"].to_pylist()
        index.add({"copy": TEXTS["a"]})
        index.add({"a": TEXTS["b"]}, replace=True)
        assert ("copy", 1.0) == index.best(TEXTS["a"])
        index.add({"b": "something else", "a": TEXTS["a"]}, replace=True)
        assert ["copy", "a"] == index.query([TEXTS["a"]]).pairs["right"].to_pylist()
        assert not index.seen(TEXTS["b"])
        assert 3 == len(index)
        index.compact()
        assert ["copy", "a"] == index.query([TEXTS["a"]]).pairs["right"].to_pylist()
        assert index.check().ok


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot be made read-only there")
def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    """It can be read; a writer gets an error that names the file and what the system says."""
    code = (
        "import os, sys, dedup\n"
        "from dedup.errors import StorageError\n"
        f"with dedup.Index.open({str(folder)!r}) as index:\n"  # what it imports, nobody else might read
        f"    assert index.seen({TEXTS['a']!r}) and index.check().ok\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        f"with dedup.Index.open({str(folder)!r}) as index:\n"
        f"    assert index.seen({TEXTS['a']!r}) and index.check().ok and not index.refresh()\n"
        "try:\n"
        f"    dedup.Index.open({str(folder)!r}, write=True)\n"
        "except StorageError as error:\n"
        "    print(error)\n"
        "try:\n"
        f"    dedup.Index.create({str(folder / 'inside')!r})\n"
        "except StorageError as error:\n"
        "    print(error)\n"
    )
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.geteuid():
            path.chmod(path.stat().st_mode | 0o055)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    finally:
        folder.chmod(0o755)
    assert "" == done.stderr
    first, second = done.stdout.splitlines()
    assert "lock" in first
    assert "Permission denied" in first
    assert "inside" in second
    assert "Permission denied" in second
