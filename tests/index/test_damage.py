"""Damage: flipped bytes and cut files give an error or the right answer, never a wrong pair; what is lost is named."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import dedup
from dedup.errors import DedupError, StorageError
from dedup.index import check as checking
from dedup.index import writer
from dedup.index.manifest import CHECK_IT, RESTORE
from dedup.storage import atomic
from tests.index.model import SHINGLE, Model, make_small

WORDS = ["bridge", "closed", "until", "friday", "ferry", "harbour", "noon", "repairs", "mole", "spring"]


def some_texts(count: int, seed: int) -> dict[str, str]:
    """Give texts, some of them near copies or copies."""
    chance = random.Random(seed)
    texts: list[str] = []
    for _ in range(count):
        if texts and chance.random() < 0.4:
            words = chance.choice(texts).split()
            if chance.random() < 0.7 and words:
                words[chance.randrange(len(words))] = chance.choice(WORDS)
        else:
            words = chance.choices(WORDS, k=chance.randrange(12, 24))
        texts.append(" ".join(words))
    return {f"text {seed} {row}": text for row, text in enumerate(texts)}


PASSAGES = 6


KINDS = ("hashes", "text", "lsh")


def make(folder: Path, kind: str) -> Model:
    """Make an index with segments, documents in memory, copies and removed documents; return its model."""
    model = Model(0.5)
    options: dict[str, dict[str, Any]] = {"text": {"store": "text", "passages": PASSAGES}, "lsh": {"method": "lsh"}}
    kept = options.get(kind, {})
    with dedup.Index.create(folder, threshold=0.5, shingle=SHINGLE, **kept) as index:
        for seed, count in enumerate((15, 2)):
            texts = some_texts(count, seed)
            index.add(texts)
            model.add(list(texts), list(texts.values()))
            index.commit()
        gone = [document.name for document in model.documents[2:5]]
        index.remove(gone)
        model.remove(gone)
        index.add({"a": "noon ferry", "b": "spring"})
        model.add(["a", "b"], ["noon ferry", "spring"])
    return model


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Model]:
    """Give such an index, and its model."""
    make_small(monkeypatch)
    return tmp_path / "index", make(tmp_path / "index", request.param)


def questions(model: Model) -> list[str]:
    """Give texts to ask for."""
    return [document.text for document in model.documents] + ["noon ferry harbour", "mole"]


def all_passages(folder: Path, texts: list[str]) -> set[tuple[Any, ...]] | None:
    """Give the passages that an index finds, None where that is an error; none, if it keeps no texts."""
    try:
        with dedup.Index.open(folder) as index:
            if index.options["passages"] is None:
                return set()
            return set(zip(*index.passages(texts).to_pydict().values(), strict=True))
    except DedupError:
        return None


def answers(folder: Path, texts: list[str]) -> tuple[set[tuple[int, Any, float]] | None, Any]:
    """Give the pairs that an index finds, None where that is an error, and what its check finds, open or not."""
    try:
        with dedup.Index.open(folder) as index:
            try:
                pairs = index.query(texts).pairs
                columns = (pairs[name].to_pylist() for name in ("left", "right", "jaccard"))
                found = set(zip(*columns, strict=True))
            except DedupError:
                found = None
            assert index.check() == dedup.Index.check_files(folder)
            return found, index.check()
    except DedupError as error:
        if (folder / "rows-1.dedup").exists():
            assert CHECK_IT in str(error) or RESTORE in str(error)
        return None, dedup.Index.check_files(folder)


def files_of(folder: Path) -> list[Path]:
    """Give the files of an index, but for the lock, which has no content that counts."""
    return [path for path in sorted(folder.iterdir()) if path.name != "lock"]


class Flips(NamedTuple):
    """How many bytes were flipped, one after the other, and what came of it.

    Opening or asking was refused; a pair was lost; passages alone were refused.
    """

    tried: int
    refused: int
    less: int
    unread: int


def few(_: Path, size: int, chance: random.Random) -> Sequence[int]:
    """Give all places of a small file, and some of another."""
    return range(size) if size <= 300 else sorted(chance.sample(range(size), 60))


def flip(folder: Path, model: Model, places_of: Callable[[Path, int, random.Random], Sequence[int]]) -> Flips:
    """Flip a bit of a byte, ask, check, and put it back, for some places of each file."""
    texts = questions(model)
    expected = set(model.pairs(texts, model.threshold))
    found, nothing = answers(folder, texts)
    assert expected == found
    assert nothing.ok
    words = all_passages(folder, texts)
    with dedup.Index.open(folder) as index:
        kept = index.options["passages"] is not None
    assert (set(model.passages(texts, PASSAGES)) if kept else set()) == words
    chance = random.Random(3)
    tried = refused = less = unread = 0
    for path in files_of(folder):
        whole = path.read_bytes()
        for place in places_of(path, len(whole), chance):
            tried += 1
            broken = bytearray(whole)
            broken[place] ^= 1 << chance.randrange(8)
            path.write_bytes(broken)
            found, check = answers(folder, texts)
            assert not check.ok, f"{path.name} byte {place}: the check saw nothing"
            assert check.problems
            assert check.advice
            here = all_passages(folder, texts)
            unread += here is None and found is not None
            if here is not None and here != words:
                assert set(check.lost) & {document.name for document in model.documents} or None in check.lost
            if found is None:
                refused += 1
                continue
            assert found <= expected, f"{path.name} byte {place}: a wrong pair"
            lost = {right for _, right, _ in expected - found}
            less += bool(lost)
            assert lost <= set(check.lost) or None in check.lost, f"{path.name} byte {place}: not named"
        path.write_bytes(whole)
    assert expected == answers(folder, texts)[0]
    return Flips(tried, refused, less, unread)


def test_flipped_bytes(made: tuple[Path, Model]) -> None:
    """Any byte of any file: an error, or a part of the answer; and then the check names what is lost."""
    folder, model = made
    found = flip(folder, model, few)
    assert found.refused > 100
    assert found.less > 10
    with dedup.Index.open(folder) as index:
        assert (found.unread > 10) == (index.options["passages"] is not None)


def campaign(kind: str) -> Flips:
    """Flip each byte of the manifest, the log and the bits of an index of a kind, and some of its postings."""

    def places_of(path: Path, size: int, chance: random.Random) -> Sequence[int]:
        return few(path, size, chance) if path.name.startswith("segment-") else range(size)

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        model = make(Path(folder) / "index", kind)
        return flip(Path(folder) / "index", model, places_of)


def large(folder: Path, documents: int) -> list[str]:
    """Make an index of pages, in segments, with copies, near copies and removed documents; return its texts."""
    chance, texts = random.Random(5), list[str]()
    for _ in range(documents):
        words = [f"w{chance.randrange(4000)}" for _ in range(chance.randrange(40, 120))]
        if texts and chance.random() < 0.3:
            words = chance.choice(texts).split()
            if chance.random() < 0.7:
                words[chance.randrange(len(words))] = "other"
        texts.append(" ".join(words))
    with dedup.Index.create(folder) as index:
        for start in range(0, documents, documents // 5):
            rows = range(start, min(start + documents // 5, documents))
            index.add({f"text {row}": texts[row] for row in rows})
            index.commit()
        index.remove([f"text {row}" for row in range(3, documents, 50)])
        index.commit()
        index.add({"a": "noon ferry", "b": texts[0]})
        index.commit()
        assert index.stats.segments > 0
        assert index.stats.in_memory > 0
    return texts


def random_flips(documents: int, flips: int, seed: int = 1) -> Flips:
    """Flip random bytes of a large index, one after the other, each byte of its files as likely as any other.

    All documents are asked for each time. A byte of the zeros between two arrays says nothing, but is checked too.
    """

    def asked(folder: Path, texts: list[str]) -> tuple[set[tuple[int, str]] | None, Any]:
        try:
            with dedup.Index.open(folder) as index:
                try:
                    pairs = index.query(texts, threads=1).pairs
                    found = set(zip(pairs["left"].to_pylist(), pairs["right"].to_pylist(), strict=True))
                except DedupError:
                    found = None
                return found, index.check()
        except DedupError:
            return None, dedup.Index.check_files(folder)

    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "index"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writer, "COMMIT_DOCUMENTS", documents // 10)  # so there are segments, and texts in memory
            texts = large(folder, documents)
        expected, whole = asked(folder, texts)
        assert expected is not None
        assert whole.ok
        files = files_of(folder)
        sizes = [path.stat().st_size for path in files]
        tried = refused = less = 0
        for _ in range(flips):
            path = chance.choices(files, sizes)[0]
            place, bit = chance.randrange(path.stat().st_size), 1 << chance.randrange(8)
            with path.open("r+b") as file:
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ bit]))
            tried += 1
            found, check = asked(folder, texts)
            assert not check.ok, f"{path.name} byte {place}: the check saw nothing"
            if found is None:
                refused += 1
            else:
                assert found <= expected, f"{path.name} byte {place}: a wrong pair"
                lost = {right for _, right in expected - found}
                less += bool(lost)
                assert lost <= set(check.lost) or None in check.lost, f"{path.name} byte {place}: not named"
            with path.open("r+b") as file:
                file.seek(place)
                file.write(bytes([byte]))
        assert (expected, True) == (asked(folder, texts)[0], asked(folder, texts)[1].ok)
        return Flips(tried, refused, less, 0)


def test_random_bytes_of_a_larger_index() -> None:
    """Some random bytes: an error, or a part of the answer, and the check names what is lost."""
    found = random_flips(600, 60)
    assert found.refused > 10


def test_cut_files(made: tuple[Path, Model]) -> None:
    """A file that is shorter than it was is an error at once, for readers and the writer."""
    folder, model = made
    for path in files_of(folder):
        whole = path.read_bytes()
        for size in {0, 1, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:size])
            for write in (False, True):
                with pytest.raises(DedupError, match="expected"):
                    dedup.Index.open(folder, write=write)
                check = dedup.Index.check_files(folder)
                assert path.name in check.problems[0] or "expected an undamaged manifest" in check.problems[0]
                assert "restore the index from a copy of its folder, or make it anew from the texts" == check.advice
        path.unlink()
        with pytest.raises(DedupError, match="expected"):
            dedup.Index.open(folder)
        assert not dedup.Index.check_files(folder).ok
        path.write_bytes(whole)
    assert answers(folder, questions(model))[0] is not None


def test_postings_are_mended(made: tuple[Path, Model]) -> None:
    """If postings alone are damaged, the check advises `compact`, and after it nothing is lost."""
    folder, model = made
    texts = questions(model)
    expected, _ = answers(folder, texts)
    for path in folder.glob("segment-*"):
        copy = folder.with_name(f"copy of {path.name}")
        shutil.copytree(folder, copy)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        (copy / path.name).write_bytes(content)
        assert dedup.Index.check_files(copy).advice.startswith("the documents are whole: dedup index compact")
        with dedup.Index.open(copy, write=True) as index:
            index.compact()
        found, check = answers(copy, texts)
        assert (expected, True, "") == (found, check.ok, check.advice)


def test_a_check_beside_a_writer(made: tuple[Path, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that removes files while they are checked makes no damage: the next generation is checked."""
    folder, _ = made
    stored = checking.Stored

    def late(folder: Path, manifest: Any) -> Any:
        monkeypatch.setattr(checking, "Stored", stored)
        with dedup.Index.open(folder, write=True) as index:
            index.compact()
        return stored(folder, manifest)

    monkeypatch.setattr(checking, "Stored", late)
    assert dedup.Index.check_files(folder).ok


def test_a_disk_that_is_full_at_any_write(made: tuple[Path, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th act of writing fails: an error; what was committed is there, and writing goes on once there is space."""
    folder, model = made
    texts = some_texts(14, 9)
    after = model.copy()
    after.add(list(texts), list(texts.values()))
    asked = questions(after)
    before_it, all_of_it = ({(*pair,) for pair in each.pairs(asked, each.threshold)} for each in (model, after))
    merged = 0
    for number in range(10_000):
        copy = folder.with_name(f"copy {number}")
        shutil.copytree(folder, copy)
        acts = iter(range(10_000))
        failures: list[str] = []

        def fail(
            act: str, path: Path, size: int, acts: Any = acts, number: int = number, failures: Any = failures
        ) -> None:
            if next(acts) == number:
                failures.append(act)
                raise OSError(28, "No space left on device")

        failed = False
        index = dedup.Index.open(copy, write=True)
        monkeypatch.setattr(atomic, "hook", fail)
        try:
            index.add(texts)
            index.close()
        except DedupError as error:
            failed = True
            assert "No space left" in str(error)
        monkeypatch.setattr(atomic, "hook", None)
        if index._writer is not None:
            index._writer.close()  # as if the process had ended
        found, check = answers(copy, asked)
        assert check.ok
        assert found in ((before_it, all_of_it) if failed else (all_of_it,))
        if failed and found == before_it:
            with dedup.Index.open(copy, write=True) as again:
                again.add(texts)
            assert all_of_it == answers(copy, asked)[0]
        shutil.rmtree(copy)
        merged += bool(failures) and not failed
        if not failures:
            break
    assert number > 10
    assert merged > 0, "there are writes after the last commit, whose errors are none of the caller's"


@pytest.mark.parametrize("name", ["sets", "segment"])
def test_a_file_that_is_missing(name: str, tmp_path: Path) -> None:
    """It is said that the index is damaged and what names the damage, and not that it went during the run."""
    folder = tmp_path / "x"
    with dedup.Index.create(folder, shingle="words:1") as index:
        index.add([f"word{i} other{i}" for i in range(20)])
        index.compact()
    next(path for path in sorted(folder.iterdir()) if path.name.startswith(name)).unlink()
    with pytest.raises(StorageError, match="No such file .*; the index is damaged; dedup index check"):
        dedup.Index.open(folder)
    found = dedup.Index.check_files(folder)
    assert not found.ok
    assert not [problem for problem in found.problems if "dedup index check" in problem]
    assert "restore the index from a copy" in found.advice
