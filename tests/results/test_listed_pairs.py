"""Pairs that are listed: counted at once, spelled out in parts; how many there may be, and what they may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError
from dedup.hashing.shingles import parse
from dedup.hashing.units import read_units
from dedup.pairs import verify
from dedup.pairs.verify import PairLimit, Pairs, in_order, pairs_of
from dedup.pipelines.find import find_in
from dedup.pipelines.order import Limits
from dedup.results.listed_pairs import Listing, ListingLimits
from dedup.sources.coerce import ListTexts
from dedup.unit import Unit

Rows = list[tuple[int, int, int]]


def rows_of(found: Pairs) -> Rows:
    """Return pairs as tuples."""
    return list(zip(*(column.tolist() for column in found), strict=True))


@given(st.data(), st.booleans())
def test_every_pair_is_spelled_out(data: st.DataObject, copies: bool) -> None:
    """All pairs of the copies of pairs, those of copies with each other, and hidden ones only with their kept one."""
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=12))  # a text of each is equal to the others
    count = len(sizes)
    texts = [" ".join(f"t{size}w{i}" for i in range(5 * size)) for size in sizes]
    units = read_units(ListTexts(texts), parse("words:1"), unit=Unit.DOCUMENT, threads=1)
    units.prepare(np.arange(count), 1)
    first = [sizes.index(size) for size in sizes]
    leading = sorted({unit for unit, size in zip(first, sizes, strict=True) if size})
    found = data.draw(st.lists(st.sampled_from(list(combinations(leading, 2))), unique=True)) if leading[1:] else []
    near = in_order([pairs_of(*np.array([(a, b, a + 1) for a, b in found]).T)]) if found else verify.no_pairs()
    star = np.array(first, dtype=np.int64)
    for unit in leading:  # a text joins one that is kept, and its copies go with it
        options = [a for a, b in found if b == unit and star[a] == a]
        star[star == unit] = data.draw(st.sampled_from([unit, *options]))
    large = np.array([data.draw(st.booleans()) for _ in range(count)]) if data.draw(st.booleans()) else None
    expected: Rows = []
    for u, v in combinations(range(count), 2):
        hidden = [large is not None and bool(large[star[x]]) and star[x] != x for x in (u, v)]
        pair = (min(first[u], first[v]), max(first[u], first[v]))
        shared = int(units.sizes[u]) if first[u] == first[v] else pair[0] + 1
        if any(hidden):
            if (hidden[0] and star[u] == v) or (hidden[1] and star[v] == u):
                expected.append((u, v, shared))
        elif sizes[u] and sizes[v] and ((copies and first[u] == first[v]) or pair in found):
            expected.append((u, v, shared))
    listed = Listing(near, np.array(first, dtype=np.int64), units, star, large, copies=copies)
    assert len(listed) == len(expected)
    assert rows_of(listed.rows(slice(None))) == expected
    start = data.draw(st.integers(0, len(expected)))
    stop = data.draw(st.integers(0, len(expected) + 1))
    assert rows_of(listed.rows(slice(start, stop))) == expected[start:stop]


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(6, 9)), max_size=9), max_size=4))
def test_parts_in_order(parts: list[list[tuple[int, int]]]) -> None:
    """Pairs of all parts, sorted, each once; the parts are freed."""
    given_parts = [pairs_of(*np.array([(b, a, a + b) for a, b in part] or np.empty((0, 3))).T) for part in parts]
    found = in_order(given_parts)
    assert given_parts == []
    assert [column.dtype for column in found] == [np.dtype(np.int32)] * 3
    assert rows_of(found) == sorted({(a, b, a + b) for part in parts for a, b in part})


def test_a_part_at_a_time() -> None:
    """The table is the same whatever a part is, as is what a result is compared by."""
    texts = ["one two three four five six seven"] * 30 + [f"a b c d e f g h i j k{n // 3}" for n in range(30)]
    whole = dedup.find_duplicates(texts, threshold=0.5, pairs="all")
    table = whole.pairs
    limits = Limits(listing=ListingLimits(part=7))
    again, other = (find_in(texts, threshold=0.5, pairs="all", limits=limits) for _ in range(2))
    assert len(list(again._evidence.listed.slices())) > 100
    assert again.pairs.equals(table)
    assert again == other
    assert again.components().equals(whole.components())
    assert again.summary.pairs == table.num_rows == 30 * 29


def test_a_limit_is_reported_by_any_thread() -> None:
    """It raises as soon as there are more, and says what to do."""
    limit = PairLimit(verify.PAIR_BYTES * 1_000_000, "give more")
    limit.add(1_000_000)
    with pytest.raises(ParameterError, match="memory: expected at most 1,000,000 pairs.*found more; give more"):
        limit.add(1)
    assert PairLimit(0, "").most == verify.LEAST_ROOM // verify.PAIR_BYTES
    assert PairLimit(None, "").most == verify.MAX_JOINED_PAIRS


@pytest.mark.parametrize("threads", [1, 2])
def test_a_search_finds_no_more_than_it_may(threads: int) -> None:
    """One pair more than the limit is an error of the search, before they are held."""
    texts = [f"one two three four five six seven eight nine ten eleven x{n}" for n in range(30)]
    found = find_in(texts, threshold=0.5, pairs="all", threads=threads, limits=Limits(pairs=30 * 29 // 2))
    assert len(found.pairs) == 30 * 29 // 2
    with pytest.raises(ParameterError, match="threshold: expected at most 434 pairs.*raise the threshold"):
        find_in(texts, threshold=0.5, pairs="all", threads=threads, limits=Limits(pairs=30 * 29 // 2 - 1))


def test_a_table_has_no_more_rows_than_it_may() -> None:
    """What needs no table is still there."""
    texts = ["one two three four five six"] * 100
    found = find_in(texts, pairs="all", limits=Limits(listing=ListingLimits(rows=4_949)))
    assert (found.summary.pairs, found.filter(texts)) == (4_950, texts[:1])
    with pytest.raises(ParameterError, match=r"at most 4,949 rows.*found 4,950, which take about 1 MB.*clusters"):
        _ = found.pairs


MANY = """
    import json, sys
    import dedup, dedup.pairs.verify
    from benchmarks.speed.measure import Peak

    def texts(kind, count):
        base = [f"w{i}" for i in range(60)]
        if kind == "copies":
            return [" ".join(base)] * count
        return [" ".join([*base[: n % 50], f"z{n}", *base[n % 50 :]]) for n in range(count)]

    for kind in ("near", "copies"):
        for memory in ("1GB", None):
            result = dedup.find_duplicates(texts(kind, 300), pairs="all", threads=1, memory=memory)
            result.pairs
        dedup.match(texts(kind, 300), texts(kind, 300), threads=1).pairs
    dedup.pairs.verify.MANY_PAIRS = 1 << 16  # as with the millions that would take too long here
    found = {}

    def measured(name, bound, act):
        peak = Peak()
        peak.start()
        try:
            told = act()
        except dedup.ParameterError as error:
            told = str(error)
        found[name] = (peak.stop(), bound, told)

    def search(kind, count, megabytes):
        return dedup.find_duplicates(texts(kind, count), pairs="all", threads=1, memory=megabytes * 10**6)

    measured("near", 160, lambda: search("near", 6000, 160).summary.pairs)
    measured("near table", 640, lambda: search("near", 6000, 640).pairs.num_rows)
    measured("near too many", 90, lambda: search("near", 6000, 90).summary.pairs)
    measured("copies", 60, lambda: search("copies", 3000, 60).summary.pairs)
    measured("copies table", 60, lambda: search("copies", 3000, 60).pairs.num_rows)
    some = texts("near", 1500)
    alone = {"threads": 1, "memory": 120 * 10**6, "min_words": None}
    measured("match", 120, lambda: dedup.match(some, some[::-1], **alone).summary.pairs)
    print(json.dumps(found))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="the system does not keep a peak to reset")
def test_growth_with_many_pairs() -> None:
    """Millions of pairs are within the bound, in the search and as a table, or are an error: in a new process."""
    command = [sys.executable, "-c", textwrap.dedent(MANY)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    told = {name: row[2] for name, row in found.items()}
    for name, (grown, bound, _) in found.items():
        assert grown <= bound * 10**6, f"{name}: {grown:,} of {bound:,}"
    every = told["near"]
    assert every == told["near table"] > 1_000_000
    assert "memory: expected at most" in told["near too many"]
    assert told["copies"] == 3000 * 2999 // 2
    assert "pairs: expected at most" in told["copies table"]
    assert told["match"] > 300_000
