"""The laws of an index, for any cut into adds, flushes, merges, removals, commits, crashes and reopenings.

``query`` is ``match`` against the living documents, ``filter_new`` is ``find_duplicates(keep="first")`` in any batches.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import dedup
from tests.index.model import SHINGLE, Model, make_small, shingles, similarity

words = st.sampled_from(["a", "b", "c", "d", "e"])
texts = st.lists(words, max_size=8).map(" ".join)
batches = st.lists(texts, max_size=6)
thresholds = st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0])


class IndexMachine(RuleBasedStateMachine):
    """An index that is changed in every way, and a list of documents that is changed in the same way."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        make_small(self.patch)
        self.folder = Path(tempfile.mkdtemp()) / "index"

    def teardown(self) -> None:
        """Remove the index."""
        self.index.close()
        if self.reader is not None:
            self.reader.close()
        self.patch.undo()
        shutil.rmtree(self.folder.parent)

    @initialize(
        threshold=thresholds,
        containment=st.booleans(),
        kind=st.sampled_from(["auto", "int", "str"]),
        passages=st.sampled_from([None, None, 1, 2, 4]),
        with_texts=st.booleans(),
        method=st.sampled_from(["exact", "exact", "lsh"]),
    )
    def create(
        self,
        threshold: float,
        containment: bool,
        kind: str,
        passages: int | None,
        with_texts: bool,
        method: str,
    ) -> None:
        """Make an index."""
        containment = containment and method == "exact"
        store = "text" if passages or with_texts else "hashes"
        self.options: dict[str, Any] = {"threshold": threshold, "shingle": SHINGLE, "containment": containment}
        self.options |= {"store": store, "passages": passages, "method": method}
        self.index = dedup.Index.create(self.folder, **self.options)
        self.kind, self.containment, self.passages, self.given = kind, containment, passages, 0
        self.model = Model(threshold, self.index.options["bands"])
        self.committed = self.model.copy()
        self.reader: Any = None

    def new_ids(self, count: int) -> list[Any] | None:
        """Give ids that are not in the index, or None where texts have running numbers."""
        if self.kind == "auto":
            return None
        numbers = range(self.given, self.given + count)
        self.given += count
        return [7 * number - 50 if self.kind == "int" else f"text {number}é" for number in numbers]

    @rule(batch=batches)
    def add(self, batch: list[str]) -> None:
        """Texts are added, duplicates too."""
        ids = self.new_ids(len(batch))
        assert len(batch) == self.index.add(batch, ids=ids)
        self.model.add(self.model.names(len(batch)) if ids is None else ids, batch)

    @rule(batch=batches, data=st.data())
    def replace(self, batch: list[str], data: st.DataObject) -> None:
        """Texts take the place of others of their id, or are new."""
        if self.kind == "auto":
            return
        fresh = self.new_ids(len(batch)) or []
        there = [each.name for each in self.model.documents]
        pick = st.lists(st.sampled_from(there), max_size=len(batch), unique=True) if there else st.just([])
        old = data.draw(pick)
        ids = [*old, *fresh][: len(batch)]
        self.index.add(batch, ids=ids, replace=True)
        self.model.add(ids, batch)

    @rule(batch=batches)
    def filter_new(self, batch: list[str]) -> None:
        """Texts that were not seen are added."""
        ids = self.new_ids(len(batch))
        kept = self.model.new(batch)
        assert [batch[row] for row in kept] == self.index.filter_new(batch, ids=ids)
        names = self.model.names(len(kept)) if ids is None else [ids[row] for row in kept]
        self.model.add(names, [batch[row] for row in kept])

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """Some documents are removed."""
        there = [each.name for each in self.model.documents]
        names = data.draw(st.lists(st.sampled_from(there), max_size=5, unique=True)) if there else []
        assert len(names) == self.index.remove(names)
        self.model.remove(names)

    @rule()
    def commit(self) -> None:
        """What was done becomes durable."""
        self.index.commit()
        self.committed = self.model.copy()

    @rule()
    def compact(self) -> None:
        """The index is written anew."""
        self.index.compact()
        self.committed = self.model.copy()
        assert 0 == self.index.stats.removed
        assert self.index.stats.segments <= 1

    @rule()
    def reopen(self) -> None:
        """The index is closed, and opened again."""
        self.index.close()
        self.committed = self.model.copy()
        self.index = dedup.Index.open(self.folder, write=True)

    @rule()
    def crash(self) -> None:
        """The process ends without a commit: what was not committed is lost, and nothing else."""
        self.index._writer.close()
        self.index = dedup.Index.open(self.folder, write=True)
        self.model = self.committed.copy()

    @rule(others=st.lists(batches, min_size=1, max_size=2))
    def merge(self, others: list[list[str]]) -> None:
        """The documents of another index are added."""
        other = self.folder.parent / "other"
        names: list[Any] = []
        with dedup.Index.create(other, **self.options) as index:
            for batch in others:
                ids = self.new_ids(len(batch))
                names += [None] * len(batch) if ids is None else ids
                index.add(batch, ids=ids)
        added = [text for batch in others for text in batch]
        assert len(added) == self.index.merge(other)
        self.model.add(self.model.names(len(added)) if self.kind == "auto" else names, added)
        shutil.rmtree(other)

    @rule(batch=batches, data=st.data())
    def query(self, batch: list[str], data: st.DataObject) -> None:
        """All pairs are found, and no others."""
        self.ask(self.index, self.model, batch, data)

    def ask(self, index: dedup.Index, model: Model, batch: list[str], data: st.DataObject) -> None:
        """Compare a query with the model."""
        metric = data.draw(st.sampled_from(["jaccard", "containment"])) if self.containment else "jaccard"
        threshold = data.draw(thresholds.filter(lambda each: each >= model.threshold))
        expected = model.pairs(batch, threshold, metric)
        found = index.query(batch, threshold=threshold, metric=metric)
        assert [pair[:2] for pair in expected] == rows_of(found)
        assert len(model.documents) == len(index) == found.summary.against
        assert sum(not each.text for each in model.documents) == found.summary.against_empty
        if metric == "jaccard":
            assert [pair[2] for pair in expected] == found.pairs["jaccard"].to_pylist()
        limit = data.draw(st.integers(1, 3))
        for order in ("first", "best"):
            some = rows_of(index.query(batch, threshold=threshold, metric=metric, limit=limit, order=order))
            assert limited(expected, limit, order) == some
        if self.passages is not None:
            size = self.passages + data.draw(st.integers(0, 2))
            table = index.passages(batch, min_words=size)
            assert model.passages(batch, size) == list(zip(*map(list, table.to_pydict().values()), strict=True))
        for text in batch[:1]:
            pairs = model.pairs([text], model.threshold)
            assert bool(pairs) == index.seen(text)
            best = max(pairs, key=lambda pair: pair[2], default=None)
            assert (None if best is None else best[1:]) == index.best(text)

    @rule(batch=batches, data=st.data())
    def read(self, batch: list[str], data: st.DataObject) -> None:
        """A reader has what was committed when it was opened or refreshed last."""
        if self.reader is None:
            self.reader = dedup.Index.open(self.folder)
        else:
            self.reader.refresh()
        self.ask(self.reader, self.committed, batch, data)
        self.state = self.committed.copy()

    @precondition(lambda self: self.reader is not None)
    @rule(batch=batches, data=st.data())
    def read_old(self, batch: list[str], data: st.DataObject) -> None:
        """A reader that is not refreshed goes on with what it has, whatever the writer removed."""
        self.ask(self.reader, self.state, batch, data)

    @rule()
    def check(self) -> None:
        """Nothing is damaged."""
        found = self.index.check()
        assert found.ok, found
        assert () == found.lost

    @invariant()
    def the_length_is_that_of_the_model(self) -> None:
        """The number of documents is right."""
        if hasattr(self, "model"):
            assert len(self.model.documents) == len(self.index)


def rows_of(found: dedup.IndexMatches) -> list[tuple[int, Any]]:
    """Give the pairs of a result."""
    return list(zip(found.pairs["left"].to_pylist(), found.pairs["right"].to_pylist(), strict=True))


def limited(pairs: list[tuple[int, Any, float]], limit: int, order: str) -> list[tuple[int, Any]]:
    """Give the first or the best pairs of each text, in their order."""
    chosen = []
    for row in {pair[0]: None for pair in pairs}:
        own = [(i, pair) for i, pair in enumerate(pairs) if pair[0] == row]
        own.sort(key=lambda each: each[0] if order == "first" else (-each[1][2], each[0]))
        chosen += sorted(own[:limit], key=lambda each: each[0])
    return [pair[:2] for _, pair in chosen]


IndexMachine.TestCase.settings = settings(stateful_step_count=30)
TestIndexMachine = IndexMachine.TestCase


documents = st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=30).map(" ".join), max_size=12)


@given(documents, documents, st.lists(st.integers(0, 11), max_size=4, unique=True), thresholds)
def test_a_query_is_a_match_against_the_living_documents(
    old: list[str], new: list[str], removed: list[int], threshold: float
) -> None:
    """The tables are equal, evidence and order included, and so is what a filter keeps."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        make_small(patch)
        gone = [row for row in removed if row < len(old)]
        with dedup.Index.create(f"{folder}/index", threshold=threshold, shingle=SHINGLE) as index:
            index.add({f"old {row}": text for row, text in enumerate(old)})
            index.remove([f"old {row}" for row in gone])
            living = {f"old {row}": text for row, text in enumerate(old) if row not in gone}
            found = index.query(new)
        expected = dedup.match(new, living, threshold=threshold, shingle=SHINGLE, min_words=None)
        assert expected.pairs.equals(found.pairs)
        assert expected.matched.equals(found.matched)
        assert expected.filter(new) == found.filter(new)


@given(st.lists(documents, max_size=4), thresholds)
def test_batches_are_filtered_as_one_search_would(parts: list[list[str]], threshold: float) -> None:
    """`filter_new` of any batches keeps what ``find_duplicates(keep="first")`` keeps of all."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        make_small(patch)
        kept: list[str] = []
        for part in parts:
            name = f"{folder}/index"
            opened = (
                dedup.Index.open(name, write=True)
                if Path(name).exists()
                else dedup.Index.create(name, threshold=threshold, shingle=SHINGLE)
            )
            with opened as index:
                kept += index.filter_new(part)
        everything = [text for part in parts for text in part]
        result = dedup.find_duplicates(everything, keep="first", threshold=threshold, shingle=SHINGLE)
        assert result.filter(everything) == kept


kinds = st.sampled_from(["numbers", "symbols", ["numbers", "symbols"]])
alike = st.sampled_from(["a b c 1 d e", "a b c 2 d e", "a b, c 1 d e", "a b c 1 d e!", "A b c 1 d e", "x y 7", "", "!"])
edited = st.tuples(alike, st.lists(st.sampled_from(["f", "9", "g?", "8"]), max_size=2)).map(
    lambda t: " ".join((t[0], *t[1]))
)


@given(st.lists(edited, max_size=10), st.lists(edited, max_size=8), st.lists(st.integers(0, 9), max_size=3), kinds)
def test_texts_that_differ_in_numbers_or_symbols_alone(
    old: list[str], new: list[str], removed: list[int], distinct: Any
) -> None:
    """They are no pair, as in a match, and both are kept, as in a search of all; merged or not."""
    gone = sorted({row for row in removed if row < len(old)})
    how: dict[str, Any] = {"threshold": 0.4, "shingle": SHINGLE, "distinct": distinct}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        make_small(patch)
        with dedup.Index.create(f"{folder}/index", **how) as index:
            index.add({f"old {row}": text for row, text in enumerate(old)})
            index.remove([f"old {row}" for row in gone])
            living = {f"old {row}": text for row, text in enumerate(old) if row not in gone}
            found = index.query(new)
            for text in new[:2]:
                best = index.query([text], limit=1).pairs
                assert bool(best.num_rows) == index.seen(text)
                expected_best = (best["right"][0].as_py(), best["jaccard"][0].as_py()) if best.num_rows else None
                assert expected_best == index.best(text)
        expected = dedup.match(new, living, min_words=None, **how)
        assert expected.pairs.to_pylist() == found.pairs.to_pylist()
        if "numbers" in distinct:
            assert expected.summary.numbers_only == found.summary.numbers_only
        assert expected.summary.distinct == found.summary.distinct
        with dedup.Index.create(f"{folder}/copy", **how) as copy:
            copy.merge(f"{folder}/index")
            assert found.pairs.to_pylist() == copy.query(new).pairs.to_pylist()
        kept: list[str] = []
        with dedup.Index.create(f"{folder}/new", **how) as index:
            for part in (old[:4], old[4:], new):
                kept += index.filter_new(part)
                index.commit()
        everything = [*old, *new]
        assert dedup.find_duplicates(everything, keep="first", **how).filter(everything) == kept


@given(st.lists(edited, max_size=10), st.lists(edited, max_size=8), kinds)
def test_bands_and_texts_that_differ_in_numbers_or_symbols_alone(old: list[str], new: list[str], distinct: Any) -> None:
    """With bands these are no pairs either, and what is counted is what an exact index counts."""
    how: dict[str, Any] = {"threshold": 0.4, "shingle": SHINGLE, "distinct": distinct}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        make_small(patch)
        found, kept = [], []
        for method in ("exact", "lsh"):
            with dedup.Index.create(f"{folder}/{method}", **how, method=method) as index:
                index.add(old)
                found.append(index.query(new))
            with dedup.Index.create(f"{folder}/new {method}", **how, method=method) as index:
                kept.append(index.filter_new(old) + index.filter_new(new))
        bands = dedup.Index.open(f"{folder}/lsh").options["bands"]
    model = Model(0.4, bands)
    every = {(a, b) for a in old + new for b in old + new if shingles(a) and shingles(b) and similarity(a, b) >= 0.4}
    if all(model.met(a, b) for a, b in every):  # nearly always
        assert found[0].pairs.to_pylist() == found[1].pairs.to_pylist()
        assert found[0].summary.numbers_only == found[1].summary.numbers_only
        assert kept[0] == kept[1]


def test_a_merge_of_which_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All copies, or all documents, of some segments are removed before these are merged."""
    make_small(monkeypatch)
    for kept in (0, 5):
        with dedup.Index.create(tmp_path / str(kept), threshold=0.5, shingle=SHINGLE) as index:
            for start in range(0, 20, 5):
                index.add(["a b c"] * 5, ids=range(start, start + 5))
                index.remove(range(max(start, kept), start + 5))
                index.commit()
            assert index.check().ok
            assert list(range(kept)) == index.query(["a b c"]).pairs["right"].to_pylist()
        with dedup.Index.open(tmp_path / str(kept), write=True) as index:
            index.compact()
            assert list(range(kept)) == index.query(["a b c"]).pairs["right"].to_pylist()


def test_the_model_is_what_it_says() -> None:
    """The model's similarity is that of `compare`."""
    a, b = "a b c d e a b", "a b c d e f"
    assert dedup.compare(a, b, shingle=SHINGLE).jaccard == similarity(a, b)
