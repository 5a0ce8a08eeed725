"""A bound on memory: the same answer, in more passes; what does not fit is an error that says what would."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dedup
import dedup.pipelines.find
import dedup.pipelines.memory
from dedup.errors import ParameterError
from dedup.options import check_memory
from dedup.pairs.seen_twice import SeenTwice
from dedup.pipelines import find_files
from dedup.pipelines.find import find_in
from dedup.sampling.measure import Size
from dedup.sources.files import file_texts as collection_module
from dedup.sources.files.batch import Batch, Token
from dedup.sources.files.listing import Listing
from dedup.sources.files.reader import read_batches
from dedup.threshold import Threshold
from dedup.unit import Unit
from tests.plans import passes


def collection(count: int = 400) -> list[str]:
    """Make texts of 30 words each, some near or exact copies of earlier ones."""
    source = random.Random(5)
    texts: list[str] = []
    for _ in range(count):
        if texts and source.random() < 0.3:
            words = source.choice(texts).split()
            if source.random() < 0.6:
                words[source.randrange(len(words))] = "changed"
        else:
            words = [f"w{source.randrange(5000)}" for _ in range(30)]
        texts.append(" ".join(words))
    return texts


def size_of(texts: list[str]) -> Size:
    """Give the size that a search would be planned by."""
    outline = dedup.sampling.measure.outline_of(dedup.pipelines.find.read_texts(texts))
    return dedup.sampling.measure.measure(outline, dedup.hashing.shingles.parse("words:5"), unit=Unit.DOCUMENT)


@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
@pytest.mark.parametrize("metric", ["jaccard", "containment"])
@pytest.mark.parametrize("threshold", [0.3, 0.8, 1.0])
@pytest.mark.parametrize("room", [None, 256])
def test_same_answer_in_passes(unit: str, metric: str, threshold: float, room: int | None) -> None:
    """Reading the texts again, with the table whole or in ranges, changes nothing."""
    texts = [*collection(), "", "!!", "short"]
    options: dict[str, Any] = {"unit": unit, "metric": metric, "threshold": threshold, "pairs": "all"}
    plain = dedup.find_duplicates(texts, **options)
    bounded = find_in(texts, memory="1GB", planned=passes(table_bytes=room), **options)
    assert plain.pairs.equals(bounded.pairs)
    assert plain.clusters.equals(bounded.clusters)
    assert plain.kept.equals(bounded.kept)
    assert plain.summary == bounded.summary
    assert "mark" in bounded.timings, "read more than once"
    assert (room is not None) == ("count" in bounded.timings), "in ranges"


def test_lsh_under_a_bound() -> None:
    """The other method reads the same way; it finds the pairs that are far above the threshold."""
    texts = collection()
    plain = dedup.find_duplicates(texts, pairs="all", threshold=0.5)
    bounded = find_in(texts, memory="1GB", method="lsh", pairs="all", threshold=0.5, planned=passes())
    assert bounded.summary.method == "lsh"
    assert plain.pairs.equals(bounded.pairs)
    assert "mark" in bounded.timings
    assert "count" not in bounded.timings, "one range"


def test_ranges_count_what_one_table_counts() -> None:
    """The unique hashes of a row, summed over the ranges, are as many as in one table."""
    generator = np.random.default_rng(3)
    rows = generator.integers(0, 1 << 64, 4000, dtype=np.uint64)
    hashes = np.concatenate((rows, rows[:1500]))
    offsets = np.arange(0, len(hashes) + 1, 50, dtype=np.int64)
    totals = []
    for room in (1 << 20, 4096):
        sieve = SeenTwice(1 << 16, Threshold(0.8), room=room)
        total = np.zeros(len(offsets) - 1, dtype=np.int64)
        for number in range(sieve.ranges):
            sieve.begin(number)
            sieve.add(hashes[:3000])
            sieve.add(hashes[3000:])
            total += sieve.unique(hashes, offsets)
        totals.append((sieve.ranges, total.tolist()))
    assert totals[0][0] == 1
    assert totals[1][0] > 1
    assert totals[0][1] == totals[1][1]
    assert sum(totals[0][1][:30]) == 0, "all of the first 1,500 occur twice"


@pytest.mark.parametrize(("memory", "expected"), [("4GB", 4 * 10**9), ("500 MB", 5 * 10**8), ("2GiB", 2 << 30), (7, 7)])
def test_bounds_are_read(memory: Any, expected: int) -> None:
    """Bytes, or a number with a unit."""
    assert expected == check_memory(memory)


@pytest.mark.parametrize("memory", [0, -1, True, 1.5, "", "lots", "4 potatoes", "iB", [4]])
def test_bounds_that_mean_nothing(memory: Any) -> None:
    """The error shows what would be right."""
    with pytest.raises(ParameterError, match=r'memory: expected bytes, or a text such as "4GB"'):
        dedup.find_duplicates(["a", "b"], memory=memory)


def test_too_small_for_anything() -> None:
    """A bound below what the blocks in work take is an error before the work."""
    with pytest.raises(ParameterError, match=r"memory: expected about .* or more for 400 texts"):
        dedup.find_duplicates(collection(), memory="1MB")


def test_too_small_for_the_survivors() -> None:
    """Where the texts that may have a partner do not fit, the error says so."""
    planned = passes(held_bytes=1_200_000)
    with pytest.raises(ParameterError, match="the candidates"):
        find_in([text + " " + text for text in collection(4000)] * 2, memory="1GB", planned=planned)


def test_plans_are_pure() -> None:
    """The plan depends only on texts and options, and a larger bound never means more passes."""
    texts = [text * 40 for text in collection(3000)]
    size = dedup.sampling.measure.measure(
        dedup.sampling.measure.outline_of(dedup.pipelines.find.read_texts(texts)),
        dedup.hashing.shingles.parse("words:5"),
        unit=Unit.DOCUMENT,
    )
    again = dedup.sampling.measure.measure(
        dedup.sampling.measure.outline_of(dedup.pipelines.find.read_texts(texts)),
        dedup.hashing.shingles.parse("words:5"),
        unit=Unit.DOCUMENT,
    )
    assert size == again
    assert isinstance(size, Size)
    exact = sum(max(len(text.split()) - 4, 1) for text in texts)
    assert abs(size.shingles - exact) < 0.1 * exact
    one_pass = [dedup.pipelines.memory.plan_for(size, bound, 1).one_pass for bound in (10**8, 10**9, 10**10)]
    assert one_pass == sorted(one_pass)
    assert one_pass[-1]


@pytest.mark.parametrize("unit", ["document", "paragraph", "line"])
def test_estimate(unit: str) -> None:
    """The plan is returned without a complete search."""
    texts = collection(2000)
    plan = dedup.estimate(texts, unit=unit)
    assert (plan.method, plan.passes, plan.texts, plan.disk) == ("exact", 1, 2000, 0)
    assert plan.seconds > 0
    assert plan.memory > 8 * plan.shingles
    assert set(plan.to_dict()) == set(plan.__dataclass_fields__)
    assert "read once" in str(plan)


def test_estimate_under_a_bound() -> None:
    """If one pass does not fit into the bound, more are made, and the forecast is within the bound."""
    texts = [text * 30 for text in collection(3000)]
    free = dedup.estimate(texts, threads=1)
    bound = 100_000_000
    plan = dedup.pipelines.memory.plan_for(
        dedup.sampling.measure.measure(
            dedup.sampling.measure.outline_of(dedup.pipelines.find.read_texts(texts)),
            dedup.hashing.shingles.parse("words:5"),
            unit=Unit.DOCUMENT,
        ),
        bound,
        1,
    )
    bounded = dedup.estimate(texts, threads=1, memory=bound)
    assert (bounded.passes > 1) == (not plan.one_pass)
    assert bounded.memory <= bound
    assert free.passes == 1
    with pytest.raises(dedup.InputError, match="one str"):
        dedup.estimate("a text")


def test_the_estimate_names_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read once under every bound, as forecast; what does not fit is written to a work directory."""
    chance = random.Random(1)
    for number in range(2):
        texts = [" ".join(f"w{chance.randrange(100_000)}" for _ in range(150)) for _ in range(9000)]
        (tmp_path / f"{number}.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    readings = 0

    def counted(listing: Listing, *, after: Token | None = None, **names: Any) -> Iterator[Batch]:
        nonlocal readings
        readings += after is None
        return read_batches(listing, after=after, **names)

    monkeypatch.setattr(collection_module, "read_batches", counted)
    monkeypatch.setattr(find_files, "read_batches", counted)
    seen = set()
    for memory in (None, "600MB", "120MB"):
        readings = 0
        dedup.find_duplicates(dedup.files(tmp_path), memory=memory, threads=1)
        found, plan = readings, dedup.estimate(dedup.files(tmp_path), memory=memory, threads=1)
        assert plan.passes == found == 1, memory
        seen.add((plan.engine, plan.disk > 0))
    assert seen == {("memory", False), ("disk", True)}


def test_the_plans_count_forms_labels_and_rewriting() -> None:
    """What is held of each unit, and the rewritten texts, are in the plans for texts, passages and files."""
    plain = Size(10**6, 10**9, 10**4, 10**6, 10**8)
    held = Size(10**6, 10**9, 10**4, 10**6, 10**8, forms=2)
    rewritten = Size(10**6, 10**9, 10**4, 10**6, 10**8, rewritten=True)
    plans = dedup.pipelines.memory
    for made in (
        lambda size: plans.plan_for(size, None, 1).fixed,
        lambda size: plans.plan_passages(size, 10**12, 1, 1 << 20, 210).fixed,
    ):
        assert made(held) - made(plain) == 2 * plans.FORM_BYTES * 10**6
        assert made(rewritten) > made(plain)
    bounds = range(1000, 3000)  # MB
    least = [
        next(m for m in bounds if plans.FilePlan(m << 20, 1, **how).holds(10**6, 10**8, 10**4))
        for how in ({}, {"forms": 2}, {"rewritten": True})
    ]
    assert least[0] < least[1]
    assert least[0] < least[2]


@pytest.mark.parametrize(
    ("options", "forms", "rewritten"),
    [
        ({}, 0, False),
        ({"distinct": ("numbers", "symbols")}, 2, False),
        ({"within": ["a"]}, 1, False),
        ({"across": ["a"], "ignore": "accents"}, 2, True),
    ],
)
def test_what_a_plan_is_made_for(options: dict[str, Any], forms: int, rewritten: bool) -> None:
    """The plan of a search gets the forms and labels that its options ask for."""
    given: list[Size] = []

    def planned(size: Size, memory: int, threads: int) -> dedup.pipelines.memory.TextPlan:
        given.append(size)
        return dedup.pipelines.memory.plan_for(size, memory, threads)

    find_in(["one text of a few words"], memory="1GB", threads=1, planned=planned, **options)
    assert [(forms, rewritten)] == [(size.forms, size.rewritten) for size in given]


@pytest.mark.parametrize("kind", ["list", "files"])
def test_estimate_of_edits_names_the_memory_that_a_search_names(kind: str, tmp_path: Path) -> None:
    """With too little memory for metric="edit", both raise the same error."""
    texts = [f"title number {i} of the list" for i in range(300)]
    (tmp_path / "titles.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    said = []
    for call in (dedup.find_duplicates, dedup.estimate):
        with pytest.raises(ParameterError) as error:
            call(texts if kind == "list" else dedup.files(tmp_path), metric="edit", memory="17MB", threads=1)
        said.append(str(error.value))
    assert said[0] == said[1]
