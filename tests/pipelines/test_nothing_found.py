"""If nothing is found: every flow ends within its bound, under every way of reading, with the same empty result."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.clusters.copies import exact_copies
from dedup.hashing.shingles import parse
from dedup.hashing.units import Units, read_units
from dedup.pairs import closest
from dedup.pairs.cross_join import some_across
from dedup.pairs.self_join import join_some
from dedup.sources.coerce import ListTexts
from dedup.threshold import Metric, Threshold
from dedup.unit import Unit
from tests import oracles, strategies

GROWTH = """
    import json, random, sys, tempfile
    from pathlib import Path
    from functools import partial
    import dedup
    from benchmarks.speed.measure import Peak
    from dedup.pairs.compact_filter import FilterLimits
    from dedup.pipelines.find import find_in
    from dedup.pipelines.find_files import find_in_files
    from dedup.pipelines.match import match_in
    from dedup.pipelines.memory import plan_for, plan_passages
    from dedup.pipelines.order import Limits
    from dedup.pipelines.repeats import repeats_in
    from tests.plans import OnDisk, passage_passes, passes

    def texts(count, little):
        chance = random.Random(3)
        pool = [" ".join(f"p{n}x{i}" for i in range(30)) for n in range(300)]
        made = []
        for _ in range(count):
            words = " ".join(f"w{chance.randrange(100_000):x}" for _ in range(300))
            made.append(f"{words} {chance.choice(pool)} z{chance.random()}" if little else words)
        return made

    def write(folder, some):
        for number in range(4):
            lines = [json.dumps({"text": text}) for text in some[number::4]]
            (Path(folder) / f"{number}.jsonl").write_text("\\n".join(lines))
        return folder

    def searches(some, folder, planned=plan_for, planned_passages=plan_passages):
        exact = partial(find_in, planned=planned)
        match = partial(match_in, planned=planned_passages)
        repeats = partial(repeats_in, planned=planned_passages)
        files = dedup.files(str(Path(folder) / "*.jsonl"))
        broken = [text[:900] + "\\n\\n" + text[900:] for text in some]
        half = len(some) // 2
        yield "one pass", 400, lambda memory: exact(some, threads=1, memory=memory)
        yield "passes", 80, lambda memory: exact(some, threads=1, memory=memory)
        yield "low threshold", 200, lambda memory: exact(some, threads=1, memory=memory, threshold=0.3)
        yield "containment", 180, lambda memory: exact(some, threads=1, memory=memory, metric="containment")
        yield "paragraphs", 400, lambda memory: exact(broken, threads=1, memory=memory, unit="paragraph")
        yield "lsh", 80, lambda memory: exact(some, threads=1, memory=memory, method="lsh")
        yield "lsh in one pass", 400, lambda memory: exact(some, threads=1, memory=memory, method="lsh")
        yield "files of the API", 115, lambda memory: exact(files, threads=1, memory=memory)
        yield "match", 120, lambda memory: match(some[:half], some[half:], threads=1, memory=memory)
        yield "match in one pass", 2000, lambda memory: match(some[:half], some[half:], threads=1, memory=memory)
        yield "repeats", 120, lambda memory: repeats(some, threads=1, memory=memory)
        yield "files at once", 400, lambda memory: find_in_files([folder], threads=1, memory=memory).duplicates
        yield "spilled", 115, lambda memory: find_in_files([folder], threads=1, memory=memory).duplicates
        lsh = {"threads": 1, "method": "lsh"}
        yield "spilled lsh", 115, lambda memory: find_in_files([folder], memory=memory, **lsh).duplicates
        groups = {"threads": 1, "planned": partial(OnDisk, at_once=False, shard_bytes=None)}
        yield "groups", 115, lambda memory: find_in_files([folder], memory=memory, **groups).duplicates
        limits = Limits(filter=FilterLimits(least_characters=1 << 10))
        yield "thinned", 400, lambda memory: exact(some, threads=1, memory=memory, limits=limits)

    def told(result):
        return len(result) if isinstance(result, dedup.Repeats) else result.summary.pairs

    count, little = int(sys.argv[1]), sys.argv[2] == "little"
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        some = texts(200, little)
        write(small, some)
        for plans in ((), (passes(), passage_passes())):  # kernels are loaded
            for name, bound, search in searches(some + some[:20], small, *plans):
                search("10GB" if plans else "1GB")
        some = texts(count, little)
        write(large, some)
        found = {}
        for name, bound, search in searches(some, large):
            peak = Peak()
            peak.start()
            result = search(bound * 10**6)
            found[name] = (peak.stop(), bound * 10**6, told(result))
    print(json.dumps(found))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="the system does not keep a peak to reset")
@pytest.mark.parametrize("shared", ["nothing", "little"])
def test_growth_with_nothing_to_find(shared: str) -> None:
    """The resident set, measured in a process of its own, grows by less than was allowed, in every flow."""
    command = [sys.executable, "-c", textwrap.dedent(GROWTH), "12000", shared]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert len(found) == 16
    for name, (grown, bound, pairs) in found.items():
        assert (name, pairs) == (name, 0 if name != "containment" else pairs)
        assert grown <= bound, f"{name}: {grown:,} of {bound:,}"


def units_of(texts: list[str]) -> tuple[Units, list[set[int]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Return texts as units, their sets, and the first of those that have a token and are equal."""
    units = read_units(ListTexts(texts), parse("words:2"), unit=Unit.DOCUMENT, threads=1)
    sets = [set(units.hashes[a:b].tolist()) for a, b in zip(units.offsets, units.offsets[1:], strict=False)]
    first = exact_copies(units.digests, np.arange(len(units), dtype=np.int64), units.held)
    return units, sets, units.full[first[units.full] == units.full]


def alike(left: set[int], right: set[int], metric: str) -> float:
    """Return what the threshold is about."""
    shared = len(left & right)
    return shared / min(len(left), len(right)) if metric == "containment" else shared / len(left | right)


@given(strategies.corpora(), st.sampled_from([0.1, 0.4]), st.sampled_from(["jaccard", "containment"]), st.booleans())
def test_some_pairs_are_pairs(texts: list[str], threshold: float, metric: str, across: bool) -> None:
    """Without a limit that acts, all pairs are found; with one, some of these."""
    found = []
    for most, tries in ((1 << 40, 1 << 40), (1, 1 << 40), (1 << 40, 1)):
        units, sets, leading = units_of(texts)
        limits = {"most": most, "tries": tries, "threads": 1}
        by = Threshold(threshold, Metric(metric))
        if across:
            pairs = some_across(
                units, leading[::2].copy(), leading[1::2].copy(), Threshold(threshold, Metric(metric)), **limits
            )
        else:
            pairs = join_some(units, leading, by, **limits)
        found.append({(int(a), int(b)) for a, b in zip(pairs.left, pairs.right, strict=True)})
    sides = (leading[::2].tolist(), leading[1::2].tolist()) if across else (leading.tolist(), leading.tolist())
    every = ((a, b) for a in sides[0] for b in sides[1] if across or a < b)
    expected = {(min(a, b), max(a, b)) for a, b in every if alike(sets[a], sets[b], metric) >= threshold}
    assert found[0] == expected
    assert found[1] <= expected
    assert found[2] <= expected
    assert bool(found[1]) == bool(expected)


@given(strategies.corpora(), st.sampled_from(["jaccard", "containment"]))
def test_the_closest_pair_is_the_closest(texts: list[str], metric: str) -> None:
    """No pair is more similar, where all is held and no limit acts; and it is named only where nothing was found."""
    found = dedup.find_duplicates(texts, threshold=1.0, metric=metric, shingle="words:2", threads=1)
    units, sets, leading = units_of(texts)
    if len(found.pairs):
        assert found.closest is None
        return
    best = max([0.0, *(alike(sets[a], sets[b], metric) for a in leading.tolist() for b in leading.tolist() if a < b)])
    assert (found.closest[2] if found.closest else 0.0) == (best if best >= 0.1 else 0.0)
    if found.closest:
        assert oracles.jaccard(sets[found.closest[0]], sets[found.closest[1]]) > 0
    assert len(units) == len(texts)


def test_exact_copies_alone_are_said_to_be_that() -> None:
    """The closest pair is not looked for then; a line says that no near copy was found, where that is a question."""
    texts = [" ".join(f"w{max(i - 4, i % 2)}x{k}" for k in range(20 + i % 3)) for i in range(40)]
    copied = [*texts, texts[0]]
    said = (
        "\nall of these are exact copies: no near copy reached the threshold; `suggest` shows how near the others come"
    )
    assert 4 <= dedup.find_duplicates(texts, threshold=0.7).summary.pairs <= 8
    for options in ({"threshold": 0.95}, {"threshold": 0.95, "method": "lsh"}, {"threshold": 0.95, "threads": 1}):
        found = dedup.find_duplicates(copied, **options)  # type: ignore[arg-type]
        assert (1, None, True) == (found.summary.pairs, found.closest, str(found).endswith(said))
        none = dedup.find_duplicates(texts, **options)  # type: ignore[arg-type]
        assert re.search("no pair reached the threshold; the closest one seen: .*; try `suggest`$", str(none))
    for silent in (
        dedup.find_duplicates(copied),  # near copies too
        dedup.find_duplicates(copied, threshold=1.0),
        dedup.find_duplicates(copied, threshold=0.95, unit="line"),
        dedup.find_duplicates(copied, threshold=0.99, metric="edit"),
        dedup.find_duplicates(copied, threshold=0.95, distinct="numbers"),
        dedup.find_duplicates(texts[::2], threshold=0.95),
        dedup.find_duplicates([*copied[:9], copied[0]], threshold=0.95),  # too few for `suggest`
    ):
        assert "exact copies:" not in str(silent)


@pytest.mark.parametrize("limit", ["room", "hashes", "pairs", "tries", "raises"])
def test_a_hint_has_limits(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives up, or tells what it saw, where there is too much to look at; it never raises."""
    template = " ".join(f"t{i}" for i in range(30))
    texts = [f"{template} {' '.join(f'w{n}x{i}' for i in range(30 + n % 5))}" for n in range(600)]
    units = read_units(ListTexts(texts), parse("words:5"), unit=Unit.DOCUMENT, threads=1)
    options: dict[str, Any] = {"room": 1000 if limit == "room" else None, "threads": 2}
    if limit == "raises":

        def fail(*_: Any, **__: Any) -> None:
            raise MemoryError

        monkeypatch.setattr(closest, "join_some", fail)
        monkeypatch.setattr(closest, "some_across", fail)
    elif limit != "room":
        options["limits"] = closest.HintLimits(**{limit: 10})
    one = closest.closest_among(units, units.full, Threshold(0.8), **options)
    other = closest.closest_across(units, units.full[:300], units.full[300:], Threshold(0.8), **options)
    if limit == "pairs":
        assert one is not None
        assert other is not None
        assert one[2] > 0.3
        assert other[2] > 0.3
    elif limit != "tries":
        assert (one, other) == (None, None)
