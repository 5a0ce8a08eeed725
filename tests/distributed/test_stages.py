"""The stages without an engine's help: any cut, any order, any number of parts, and the answer of one machine."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dedup
from dedup.clusters.stars import BIG_CLUSTER
from dedup.distributed import job as job_module
from dedup.distributed import verified
from dedup.distributed.candidates.counts import class_of
from dedup.distributed.candidates.meetings import must_share
from dedup.distributed.candidates.notes import Note
from dedup.distributed.job import ID, TEXT, Job
from dedup.distributed.order import search
from dedup.distributed.outcome import load_shown
from dedup.distributed.transport import rows as rows_module
from dedup.distributed.transport.blocks import counted, divided, gaps_of, shared_out, squeezed, units_of, unsqueezed
from dedup.distributed.transport.keys import Bloom, block_key, document_keys, mix, unit_keys
from dedup.distributed.transport.rows import Row, batches_of, narrow, rows_of
from dedup.errors import InputError, ParameterError
from dedup.hash_key import PUBLIC
from dedup.hashing.shingles import parse
from dedup.kernels.verify import required as required_kernel
from dedup.pipelines.find import find_in
from dedup.pipelines.order import Limits
from dedup.results.duplicates import evidence_of
from dedup.results.listed_pairs import ListingLimits
from dedup.results.summary import shown_units
from dedup.spark.inputs import checked, job_of
from dedup.spark.tables import cut_out, cuts_of
from dedup.threshold import Metric, Threshold
from dedup.unit import Unit
from tests import oracles, strategies
from tests.distributed.local_engine import LocalEngine, found_by
from tests.kernel_arrays import callable_part

required = callable_part(required_kernel)


def same(texts: list[str], ids: list[Any] | None = None, *, large: int = 1000, **options: Any) -> dedup.Duplicates:
    """Check that both ways give the same answer, and return it."""
    staged = {name: options.pop(name) for name in ("engine", "part_bits", "hot") if name in options}
    listing = ListingLimits(big_cluster=large)
    order = list(range(len(texts))) if ids is None else sorted(range(len(texts)), key=lambda row: ids[row])
    labels = {name: options.pop(name) for name in ("within", "across") if name in options}
    there = found_by(texts, ids, limits=listing, **staged, **options, **labels)
    options |= {name: [values[row] for row in order] for name, values in labels.items()}
    given_ids = None if ids is None else [ids[row] for row in order]
    here = find_in([texts[row] for row in order], ids=given_ids, limits=Limits(listing=listing), **options)
    assert there.pairs.equals(here.pairs)
    assert there.clusters.equals(here.clusters)
    left_open = {"numbers_only": 0} if large < BIG_CLUSTER else {}  # of large groups not all pairs are counted
    assert replace(there.summary, **left_open) == replace(here.summary, **left_open)
    assert there.repeated.equals(here.repeated)
    return there


def versions(seed: int, texts: int, families: int, words: int = 40, vocabulary: int = 400) -> list[str]:
    """Give texts of some families: versions of one text with some words changed."""
    chance = random.Random(seed)
    pool = [f"w{number}" for number in range(vocabulary)]
    bases = [chance.choices(pool, k=words) for _ in range(families)]
    made = []
    for _ in range(texts):
        text = list(chance.choice(bases))
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            text[chance.randrange(len(text))] = chance.choice(pool)
        made.append(" ".join(text))
    return made


OPTIONS = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from((0.3, 0.5, 0.8, 1.0)),
        "metric": st.sampled_from(("jaccard", "containment")),
        "unit": st.sampled_from(("document", "paragraph", "line")),
        "keep": st.sampled_from(("first", "last", "longest", "shortest")),
        "distinct": st.sampled_from(((), "numbers", "symbols", ("numbers", "symbols"))),
        "pairs": st.sampled_from(("auto", "all")),
        "shingle": st.sampled_from(("words:1", "words:3", "chars:4")),
    }
)

MORE_OPTIONS = st.fixed_dictionaries(
    {
        "keep": st.sampled_from(("none", "last")),
        "min_documents": st.sampled_from((None, 3)),
        "ignore": st.sampled_from(((), "accents", ("markup", "hyphenation"))),
        "tokens": st.sampled_from(("words", "all")),
    }
)
LABELS = st.sampled_from(("within", "across", "both"))


@given(strategies.corpora(), OPTIONS, st.integers(0, 99), st.integers(1, 5), st.sampled_from((1, 3, 8)))
def test_any_texts_get_the_answer_of_one_machine(
    texts: list[str], options: dict[str, Any], seed: int, part_bits: int, partitions: int
) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]  # an engine has no lone surrogates
    same(texts, engine=LocalEngine(seed, partitions), part_bits=part_bits, **options)


@given(st.integers(0, 999), OPTIONS, st.sampled_from((2, 3, 6, 1024)), st.sampled_from((2, 4, 1000)))
def test_families_get_the_answer_of_one_machine_however_few_units_make_one(
    seed: int, options: dict[str, Any], hot: int, large: int
) -> None:
    texts = versions(seed, 24, 3, words=12)
    same(texts, hot=hot, large=large, engine=LocalEngine(seed), **options)


@given(strategies.corpora(), OPTIONS, MORE_OPTIONS, LABELS, st.integers(0, 99))
def test_labels_and_what_is_ignored_are_those_of_one_machine(
    texts: list[str], options: dict[str, Any], more: dict[str, Any], which: str, seed: int
) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    chance = random.Random(seed)
    labels = {
        name: [chance.choice(("one", "other", None)) for _ in texts]
        for name in ("within", "across")
        if which in (name, "both")
    }
    same(texts, engine=LocalEngine(seed), **options | more, **labels)


@given(st.integers(0, 999), OPTIONS, LABELS, st.sampled_from((2, 3, 1024)), st.sampled_from((2, 4, 1000)))
def test_families_with_labels_get_the_answer_of_one_machine(
    seed: int, options: dict[str, Any], which: str, hot: int, large: int
) -> None:
    texts = versions(seed, 24, 3, words=12)
    labels = {name: [row % 3 for row in range(24)] for name in ("within", "across") if which in (name, "both")}
    same(texts, hot=hot, large=large, engine=LocalEngine(seed), **options, **labels)


@given(st.integers(0, 999), st.sampled_from((0.5, 0.8)))
def test_pairs_are_those_of_the_definition(seed: int, threshold: float) -> None:
    texts = versions(seed, 14, 4, words=10)
    found = found_by(texts, threshold=threshold, engine=LocalEngine(seed), shingle="words:2")
    rows = found.pairs.select(["left", "right", "left_size", "right_size", "shared"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [tuple(pair) for pair in oracles.pairs(texts, threshold, "words:2")]


@pytest.mark.parametrize("hot", (40, 1024))
def test_a_template_that_occurs_very_often_is_joined_in_one_task(hot: int) -> None:
    texts = versions(1, 300, 1, words=60) + versions(2, 100, 100)
    found = same(texts, hot=hot, large=100, engine=LocalEngine(most=50), part_bits=3, shingle="words:1")
    assert found.summary.large_clusters


def test_exact_copies_of_one_text_are_linear() -> None:
    texts = ["a text of which there are very many copies, word for word"] * 3000 + versions(2, 20, 20)
    engine = LocalEngine(most=500)
    found = same(texts, engine=engine)
    assert found.summary.removed >= 2999
    assert engine.moved["meet"] < 10_000


@pytest.mark.parametrize("tasks", (1, 2, 3, 511, 512, 513, 1024, 14_901, 32_768))
def test_there_are_as_many_parts_as_tasks(tasks: int) -> None:
    parts = job_of(checked(), tasks).parts
    assert tasks <= parts < 4 * max(tasks, 2)
    assert tasks < 512 or parts < 2 * tasks


def test_the_texts_are_read_twice_and_once_more_for_a_summary() -> None:
    engine = LocalEngine()
    found = found_by(versions(2, 60, 6), engine=engine)
    assert len(found.pairs) > 0
    assert engine.reads == 2
    load_shown(evidence_of(found), shown_units(evidence_of(found)))
    assert found.summary.samples
    assert engine.reads == 3


def test_ids_may_be_texts_and_come_in_any_order() -> None:
    texts = versions(4, 40, 8)
    ids = [f"{'é' if number % 3 else 'z'}-{number * 7919 % 40}" for number in range(40)]
    assert len(same(texts, ids).pairs)


def test_ids_may_be_any_integers() -> None:
    texts = versions(4, 40, 8)
    ids = [(number * 7919 % 40 - 20) << 57 for number in range(40)]
    assert len(same(texts, ids).pairs)


def test_a_column_decides_which_text_is_kept() -> None:
    texts, by = versions(5, 40, 4), [number * 31 % 40 if number % 9 else None for number in range(40)]
    there = found_by(texts, by=by, keep="max:date")
    here = dedup.find_duplicates(pa.table({"text": texts, "date": by}), keep="max:date")
    assert there.clusters.equals(here.clusters)
    assert there.summary == here.summary


@pytest.mark.parametrize("texts", ([], [""], ["", " "], ["one text"], [None, "one text here it is", None]))
def test_hardly_any_texts(texts: list[str]) -> None:
    same(texts)


def test_what_is_counted_covers_texts_in_no_pair() -> None:
    texts = ["a b", "c d", "", *(f"word{number} other{number}" for number in range(40)), *["once more, the same"] * 2]
    summary = same(texts).summary
    assert (summary.texts, summary.empty) == (45, 1)
    assert any("shorter than three shingles" in warning for warning in summary.warnings)


# faults of the input


def test_a_missing_id_is_an_error() -> None:
    with pytest.raises(InputError, match=r"expected an id in every row, found none in 2; drop"):
        found_by(["a b c", "d e f", "g h i"], [None, 5, None])


@pytest.mark.parametrize("ids", ([3, 5, 3], ["x", "y", "x"]))
def test_an_id_of_two_rows_is_an_error(ids: list[Any]) -> None:
    with pytest.raises(InputError, match=rf"expected each id once, found 1 in more than one row: {ids[0]!r}"):
        found_by(["a b c", "d e f", "g h i"], ids)


def test_two_ids_with_one_key_get_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = job_module.document_keys

    def clashing(ids: pa.Array, key: Any, seed: int) -> np.ndarray:
        made = usual(ids, key, seed)
        return made & np.uint64(7) if seed < 2 else made

    monkeypatch.setattr(job_module, "document_keys", clashing)
    texts = versions(6, 30, 5)
    same(texts, [f"id {number:02}" for number in range(30)])


def test_another_version_on_a_worker_is_an_error() -> None:
    job = Job(Unit.DOCUMENT, Threshold(0.8), parse("words:5"), version="0.0.1")
    table = pa.table({ID: [1], TEXT: ["a text"]})
    with pytest.raises(ParameterError, match=r"expected dedup-text 0\.0\.1 on every worker, as on the driver, found"):
        search(LocalEngine(), table, job, pa.int64())


def removing(table: pa.Table, unit: str) -> Any:
    """Give what cuts the units out of rows that are removed among those of a table (id, text)."""
    found = found_by(table.column("text").to_pylist(), table.column("id").to_pylist(), unit=unit)
    evidence = evidence_of(found)
    cuts = cuts_of(evidence.units, ~evidence.kept)
    job = job_of(checked(unit=unit), 1)
    frame = SimpleNamespace(mapInArrow=lambda stage, schema: stage, schema=None)
    stage = cut_out(frame, job, evidence.texts, cuts, "id", "text")
    return lambda rows: pa.Table.from_batches(list(stage(rows.to_batches())), schema=rows.schema)


@pytest.mark.parametrize("unit", ("paragraph", "line"))
def test_units_are_cut_out_of_what_was_searched_alone(unit: str) -> None:
    texts = [f"{one}\n\n{other}" for one, other in zip(versions(1, 40, 9), versions(2, 40, 5), strict=True)]
    table = pa.table({"id": range(40), "text": texts})
    cut = removing(table, unit)
    here = dedup.find_duplicates(table, id="id", unit=unit)
    assert cut(table).equals(here.filter(table))
    changed = sorted(set(here.removed.field("document").to_pylist()))
    assert changed[0] > 0
    before = pa.table({"id": range(40), "text": [f"A new unit.\n\n{text}" for text in texts]})
    message = f"filter: expected for the id {changed[0]} the text that was searched, found another one; pass what"
    for other in (before, pa.table({"id": range(40), "text": pa.array([None] * 40, pa.string())})):
        with pytest.raises(InputError, match=message):
            cut(other)
    alone = before.take([row for row in range(40) if row not in changed])
    assert cut(alone).equals(alone)


def test_a_key_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEDUP_HASH_KEY", "a secret of sixteen bytes")
    assert len(same(versions(4, 40, 8)).pairs)
    monkeypatch.delenv("DEDUP_HASH_KEY")
    with pytest.raises(ParameterError, match="set DEDUP_HASH_KEY in the environment of the workers"):
        found_by(["a b c"], hash_key=b"a secret of sixteen bytes")


class Repeating(LocalEngine):
    """An engine that repeats tasks that read the input: some parts get the rows of one attempt, some of another."""

    def map(self, data: Any, stage: Any, name: str) -> Any:
        if not isinstance(stage, Note):
            return super().map(data, stage, name)
        made = []
        for batches in self.read(data):
            rows = list(pa.Table.from_batches(batches, schema=data.schema).to_batches()) if batches else []
            attempts = [list(rows_of(stage([piece for part in self._cut(rows) for piece in part]))) for _ in range(2)]
            mixed = [row for number, rows in enumerate(attempts) for row in rows if row.part % 2 == number]
            made.append(list(batches_of(mixed)))
        self.last = name
        return made


@given(st.integers(0, 999))
def test_a_task_that_is_repeated_and_cut_elsewhere_loses_no_pair(seed: int) -> None:
    texts = versions(seed, 24, 6, words=12)
    there = found_by(texts, engine=Repeating(seed), shingle="words:2")
    here = dedup.find_duplicates(texts, shingle="words:2")
    assert there.pairs.equals(here.pairs)
    assert there.clusters.equals(here.clusters)


def test_other_rows_when_a_task_is_repeated_are_an_error() -> None:
    class Changing(Repeating):
        def _cut(self, batches: list[pa.RecordBatch]) -> Any:
            return super()._cut([batch.slice(0, len(batch) - self.random.randrange(2)) for batch in batches])

    for seed in range(5):
        with pytest.raises(InputError, match="expected the same rows each time that the input is read"):
            found_by(versions(seed, 60, 6, words=12), engine=Changing(seed), shingle="words:2")


# parts of stages


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=60), st.integers(0, 2**64 - 1))
def test_a_filter_lets_all_of_its_keys_pass(some: list[int], other: int) -> None:
    every = np.array(some, dtype=np.uint64)
    assert Bloom.of(every)(every).all()
    passed = Bloom.of(every)(mix(np.arange(2000, dtype=np.uint64) + np.uint64(other & 0xFFFF)))
    assert passed.mean() < 0.1


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_keys_differ_if_ids_do(values: list[int]) -> None:
    every = np.array(values, dtype=np.uint64)
    assert len(np.unique(mix(every))) == len(np.unique(every))


def test_keys_of_lines_differ_if_ids_are_numbers_like_theirs() -> None:
    for seed in range(3):
        documents = document_keys(pa.array(range(60)), PUBLIC, seed)
        places = np.array([(row, number, 0, 0) for row in range(60) for number in range(60)])
        assert len(np.unique(unit_keys(documents, places))) == 3600


def test_blocks_of_other_keys_or_another_order_have_other_numbers() -> None:
    some = np.arange(9, dtype=np.uint64)
    assert len({block_key(each) for each in (some, some[::-1], some[:8], some[:0], some[[1, 0, *range(2, 9)]])}) == 5


def test_rows_that_no_batch_can_hold_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets of Arrow's binary type have 32 bits: more would be lost in silence."""
    monkeypatch.setattr(rows_module, "MOST_SENT", 1000)
    fits = Row(0, "sets", 0, {"values": np.zeros(100, dtype=np.uint64)})
    assert 1 == len(list(batches_of([fits])))
    with pytest.raises(InputError, match=r"expected rows of at most 1,000 bytes for a task, found 1,\d+ \('sets'\)"):
        list(batches_of([Row(0, "sets", 0, {"values": np.zeros(200, dtype=np.uint64)})]))


@given(st.dictionaries(st.sampled_from(("a", "bc", "d")), st.lists(st.integers(0, 2**32 - 1), max_size=9), min_size=1))
def test_rows_come_back_as_they_were_sent(arrays: dict[str, list[int]]) -> None:
    sent = {name: narrow(np.array(values, dtype=np.int64)) for name, values in arrays.items()}
    (row,) = rows_of(batches_of([Row(3, "kind", -5, sent)]))
    assert (row.part, row.kind, row.block) == (3, "kind", -5)
    assert {name: values.tolist() for name, values in row.arrays.items()} == arrays


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.01, 1.0))
def test_the_least_shared_hashes_are_those_of_the_kernel(one: int, other: int, threshold: float) -> None:
    sizes = np.array([one]), np.array([other])
    assert must_share(*sizes, Threshold(threshold))[0] == required(one, other, threshold)
    least = must_share(*sizes, Threshold(threshold, Metric.CONTAINMENT))[0]
    assert least / min(one, other) >= threshold > (least - 1) / min(one, other)


def test_counters_are_exact_up_to_128_and_never_descend() -> None:
    made = class_of(np.arange(200_000))
    assert made[:129].tolist() == list(range(129))
    assert (np.diff(made.astype(np.int64)) >= 0).all()


@given(st.integers(0, 3000), st.integers(1, 9))
def test_every_candidate_is_in_one_task(count: int, parts: int) -> None:
    bounds = verified.tasks_of(count, parts)
    assert bounds[0] == 0
    assert bounds[-1] == count
    assert (np.diff(bounds) > 0).all()


@given(st.lists(st.integers(0, 30) | st.integers(0, 3000), max_size=40), st.sampled_from((0, 1, 40, 500, 9000)))
@example([], 0).via("no unit at all")
@example([254, 254, 255, 509, 510, 510, 1020, 1020], 9000).via("gaps about 255 and its multiples")
def test_units_are_counted_whether_many_or_few_occur(units: list[int], more: int) -> None:
    units.sort()
    arrays = counted(np.array(units, dtype=np.int64), (units or [0])[-1] + 1 + more)
    kinds, counts = units_of(arrays)
    assert np.repeat(kinds, counts).tolist() == units
    assert (np.diff(kinds) > 0).all()
    assert sum(each.nbytes for each in arrays.values()) <= (units or [0])[-1] + 1 + more
    if more == 9000:
        assert list(arrays) == ["gaps"]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_each_place_is_shared_out_to_its_part(parts: list[int]) -> None:
    shared = {part: places.tolist() for part, places in shared_out(np.array(parts, dtype=np.int64))}
    assert shared == {part: [at for at, each in enumerate(parts) if each == part] for part in sorted(set(parts))}


@pytest.mark.parametrize("sizes", ([], [0], [3], [40, 0, 300], [1, 34], [33, 33], [5000]))
def test_sets_are_sent_in_fewer_bytes(sizes: list[int]) -> None:
    chance = np.random.default_rng(len(sizes))
    sets = [np.unique(chance.integers(0, 1 << 64, size, dtype=np.uint64)) for size in sizes]
    if sets and len(sets[0]) > 2:
        sets[0][[0, -1]] = 0, (1 << 64) - 1
    values = np.concatenate([np.empty(0, dtype=np.uint64), *sets])
    counts = np.array(list(map(len, sets)), dtype=np.int64)
    sent = squeezed(values, counts)
    assert unsqueezed(sent, counts).tolist() == values.tolist()
    assert sum(each.nbytes for each in sent.values()) <= values.nbytes
    assert ("values" in sent) == (sum(sizes) <= 33 * len(sizes))


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40).map(sorted), st.data())
def test_what_was_counted_is_divided(units: list[int], data: st.DataObject) -> None:
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(units), max_size=len(units))))
    every = np.array(units, dtype=np.int64)
    for arrays in ({"gaps": gaps_of(every)}, {"counts": np.bincount(every, minlength=501)}):
        for found, expected in zip(divided(arrays, chosen), (every[chosen], every[~chosen]), strict=True):
            places, counts = units_of(found)
            assert np.repeat(places, counts).tolist() == expected.tolist()
