"""Seeds and links: those of the oracle, however many tokens are taken at a time and however windows are shared out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernels import chains as chain_kernels
from dedup.passages import seeds
from dedup.passages.maximal import Places, find_windows
from dedup.passages.seeds import Links, Tokens, find_links, find_seeds, seeds_of_few, windows_in_cells
from tests import oracles_match, oracles_repeats
from tests.passages.test_maximal import arrays, collections

sizes = st.integers(1, 5)
chunks = st.sampled_from([1, 3, 16, 1 << 20])


def all_links(tokens: Tokens, offsets: Places, size: int, least: int, threads: int = 1) -> Links:
    """Give the links of all texts in one row."""
    found, held = [], 0
    for links in find_links(tokens, offsets, size, least, lambda some: some, threads):
        found.append(links._replace(back=np.where(links.back >= 0, links.back + held, -1).astype(links.back.dtype)))
        held += len(links.seeds)
    if not found:
        return Links(np.empty((0, 3), dtype=np.int32), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))
    return Links(*(np.concatenate(column) for column in zip(*found, strict=True)))


@given(collections(), sizes, st.integers(1, 3), chunks, st.sampled_from([0.65, 40.0]))
def test_every_seed_and_no_other(texts: list[list[int]], size: int, threads: int, chunk: int, load: float) -> None:
    """Seeds by place, whatever is taken at a time, and however small the table is at first."""
    tokens, offsets = arrays(texts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seeds, "SEED_CHUNK", chunk)
        patched.setattr(seeds, "LOAD", load)
        found = [row for some in find_seeds(tokens, offsets, size, threads=threads) for row in zip(*some, strict=True)]
    assert oracles_repeats.seeds(texts, size) == found


@given(
    collections(), collections(), st.sampled_from([(1, 1), (2, 1), (3, 1), (3, 2), (5, 2)]), st.integers(1, 3), chunks
)
def test_seeds_across(
    right: list[list[int]], left: list[list[int]], kind: tuple[int, int], threads: int, chunk: int
) -> None:
    """Seeds lead from the left to the right, are equal, and cover every window that the oracle links, and no more."""
    size, stride = kind
    tokens, offsets = arrays([*right, *left])
    border = int(offsets[len(right)])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seeds, "SEED_CHUNK", chunk)
        given = find_seeds(tokens, offsets, size, threads=threads, border=border, stride=stride)
        found = [row for some in given for row in zip(*map(np.ndarray.tolist, some), strict=True)] if border else []
    assert sorted(found) == found
    covered = set()
    for start, source, length in found:
        assert source + length <= border <= start
        assert tokens[start : start + length].tolist() == tokens[source : source + length].tolist()
        for place in (start, source):
            assert np.searchsorted(offsets, place, side="right") == np.searchsorted(
                offsets, place + length - 1, side="right"
            )
        covered |= {(start + k, source + k) for k in range(length - size + 1)}
    linked = oracles_match.seeds(left, right, size, stride)
    assert linked <= covered
    if stride == 1:
        assert linked == covered


@given(collections(), sizes)
def test_seeds_of_few_windows(texts: list[list[int]], size: int) -> None:
    """Without the kernels they are the same."""
    few = seeds_of_few(*find_windows(*arrays(texts), size), size)
    assert few.dtype == np.int64
    assert oracles_repeats.seeds(texts, size) == list(map(tuple, few.tolist()))


@given(collections(), st.integers(1, 3), st.integers(1, 9), st.integers(1, 2), chunks)
def test_links(texts: list[list[int]], size: int, least: int, threads: int, chunk: int) -> None:
    """Each seed is linked to the best one before it; what leads nowhere is dropped."""
    tokens, offsets = arrays(texts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seeds, "SEED_CHUNK", chunk)
        links = all_links(tokens, offsets, size, least, threads)
    assert links.seeds.dtype == links.scores.dtype == links.back.dtype == np.int32
    expected = oracles_repeats.links(texts, size, least, chain_kernels.BACK, chain_kernels.GAP)
    found = zip(map(tuple, links.seeds.tolist()), (links.scores / 4).tolist(), links.back.tolist(), strict=True)
    assert expected == list(found)


@pytest.mark.parametrize(("seed", "more"), [(1, -1), (7, 1)])
def test_links_look_back_at_so_many_seeds(seed: int, more: int) -> None:
    """Of many seeds before, the last ones count: with one fewer or one more, other links are made."""
    random = np.random.default_rng(seed)
    texts = [random.integers(0, 6, 300).tolist() for _ in range(4)]
    texts.append([*texts[0][:100], 9, *texts[0][101:]])
    links = all_links(*arrays(texts), 2, 3)
    expected = oracles_repeats.links(texts, 2, 3, chain_kernels.BACK, chain_kernels.GAP)
    assert expected != oracles_repeats.links(texts, 2, 3, chain_kernels.BACK + more, chain_kernels.GAP)
    found = zip(map(tuple, links.seeds.tolist()), (links.scores / 4).tolist(), links.back.tolist(), strict=True)
    assert expected == list(found)


def test_many_tokens_take_wider_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The links are the same in 64 bits."""
    random = np.random.default_rng(5)
    given_ = arrays([random.integers(0, 9, 300).tolist() for _ in range(3)])
    narrow = all_links(*given_, 3, 5)
    monkeypatch.setattr(seeds, "NARROW_TOKENS", 100)
    wide = all_links(*given_, 3, 5)
    assert len(narrow.seeds) > 0
    for a, b in zip(narrow, wide, strict=True):
        assert (a.dtype, b.dtype) == (np.int32, np.int64)
        assert a.tolist() == b.tolist()


@pytest.mark.parametrize(("once", "twice"), [(3000, 0), (0, 3000), (20_000, 4000)])
def test_windows_in_cells(once: int, twice: int) -> None:
    """How many windows a table has to hold is guessed within a tenth."""
    cells = 1 << 16
    random = np.random.default_rng(6)
    alone, again = random.integers(0, cells, once), random.integers(0, cells, twice)
    counts = np.bincount(np.concatenate((alone, again, again)), minlength=cells)
    held = twice + int((counts[alone] > 1).sum())
    guessed = windows_in_cells(cells, int((counts > 0).sum()), int((counts > 1).sum()))
    assert abs(guessed - held) <= 0.1 * held + 100
