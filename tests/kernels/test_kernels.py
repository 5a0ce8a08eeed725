"""The kernels that hash: each against its twin of plain Python, value by value and dtype by dtype."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import types

from dedup import kernels
from dedup.kernels import lsh, minhash, sets, shingles, words
from dedup.kernels.compiling import ALLOCATING, options_of
from tests import kernel_twins
from tests.kernel_arrays import callable_part, compiled_part, dtypes, frozen, packed, rows_of
from tests.kernel_twins import MASK32, MASK64

BORDERS = [0, 1, 2, 3, (1 << 31) - 1, 1 << 31, MASK32, 1 << 32, (1 << 63) - 1, 1 << 63, MASK64 - 1]
hashes64 = st.one_of(st.sampled_from([*BORDERS, MASK64]), st.integers(0, MASK64))
rows64 = st.lists(st.lists(hashes64, max_size=20), max_size=6)

# ----------------------------------------------------------------------------- words and tokens


mix = callable_part(words.mix)
multiply_fold = callable_part(words.multiply_fold)


@given(hashes64)
def test_mix(x: int) -> None:
    """`mix` is the finaliser of splitmix64, for any 64 bits."""
    assert kernel_twins.mix(x) == mix(np.uint64(x))


def test_mix_has_known_values() -> None:
    """The first outputs of splitmix64 with seed 0, as its authors publish them."""
    golden = 0x9E3779B97F4A7C15
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert published == [mix(np.uint64(golden * i & MASK64)) for i in (1, 2, 3)]


@given(hashes64, hashes64)
def test_multiply_fold(a: int, b: int) -> None:
    """Both halves of the product count, and where a factor is zero the other one comes out."""
    assert kernel_twins.multiply_fold(a, b) == multiply_fold(np.uint64(a), np.uint64(b))
    assert a == multiply_fold(np.uint64(a), np.uint64(0)) == multiply_fold(np.uint64(0), np.uint64(a))


def test_multiply_fold_has_no_signs() -> None:
    """A product of large factors, as long multiplication by 32 bits gives it."""
    a, b = 0xDEADBEEFCAFEBABE, 0xFEDCBA9876543210
    high, low = divmod(a * b, 1 << 64)
    assert high ^ low ^ a ^ b == multiply_fold(np.uint64(a), np.uint64(b))


def test_hashes_are_unsigned() -> None:
    """Nothing that hashes leaks into a signed integer or a float: numba's own types say so."""
    mix(np.uint64(1))
    multiply_fold(np.uint64(1), np.uint64(1))
    compiled: list[Any] = [compiled_part(words.mix), compiled_part(words.multiply_fold)]
    for function in compiled:
        results = {signature.return_type for signature in function.nopython_signatures}
        assert {types.uint64} == results
    pairs = lsh.bucket_pairs(frozen([1, 2], np.int64), frozen([0, 2], np.int64))
    assert "uint64" == dtypes(pairs)


# ------------------------------------------------------------------------------------- shingles


def hashed(rows: Sequence[Sequence[int]], size: int, key: Sequence[int] = kernel_twins.PUBLIC) -> list[list[int]]:
    """Run `hash_shingles` over rows of token hashes."""
    values, offsets = packed(rows)
    found, bounds = np.full_like(values, 7), np.full_like(offsets, -1)
    shingles.hash_shingles(values, offsets, size, frozen(key, np.uint64), found, bounds)
    return rows_of(found, bounds)


@given(rows64, st.integers(1, 22), st.lists(hashes64, min_size=16, max_size=16))
def test_hash_shingles(rows: list[list[int]], size: int, key: list[int]) -> None:
    """Each window is hashed as the twin does it, short rows as a whole, by any key."""
    assert [kernel_twins.shingle_hashes(row, size, key) for row in rows] == hashed(rows, size, key)


def test_hash_shingles_of_a_long_row() -> None:
    """Whatever the size, each window is that of its own tokens."""
    row = [kernel_twins.mix(i + 1) for i in range(3000)]
    for size in (1, 2, 3, 4, 5, 6, 64, 1000):
        assert [kernel_twins.shingle_hashes(row, size)] == hashed([row], size)
        some = [kernel_twins.shingle_hashes(row[i : i + size], size) for i in (0, 1, 1999)]
        assert some == [[hashed([row], size)[0][i]] for i in (0, 1, 1999)]


@given(st.lists(st.integers(1, MASK64).map(kernel_twins.mix), min_size=2, max_size=8, unique=True), st.data())
def test_order_counts(row: list[int], data: st.DataObject) -> None:
    """The same tokens in another order are another shingle."""
    other = data.draw(st.permutations(row))
    whole = len(row)
    assert (row == other) == (hashed([row], whole) == hashed([other], whole))


@pytest.mark.parametrize("length", [2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17])
def test_a_short_text_is_not_a_window_of_another(length: int) -> None:
    """Windows that overlap inside a shingle: "a b c" is not "a b b c", whatever the length is made of."""
    few = [kernel_twins.mix(1), kernel_twins.mix(2)]
    rows = [[few[i >> j & 1] for j in range(size)] for size in range(1, length + 1) for i in range(1 << min(size, 8))]
    assert len({tuple(row) for row in rows}) == len({row[0] for row in hashed(rows, 1000)})


@pytest.mark.parametrize("length", [64, 128, 256, 512])
def test_thue_morse_sequences_are_told_apart(length: int) -> None:
    """A polynomial modulo 2^64 gives one hash to such a sequence and to the one with its two words exchanged."""
    few = kernel_twins.token_hashes(["slightly", "vendors"])
    row = [few[i.bit_count() % 2] for i in range(length)]
    turned = [few[1 - i.bit_count() % 2] for i in range(length)]
    for size in (length // 2, length - 1, length, 1000):
        windows = [{tuple(each[i : i + size]) for i in range(max(1, length - size + 1))} for each in (row, turned)]
        found = [set(hashed([each], size)[0]) for each in (row, turned)]
        assert len(windows[0] & windows[1]) == len(found[0] & found[1])
        assert len(windows[0] | windows[1]) == len(found[0] | found[1])


def made_distinct(rows: Sequence[Sequence[int]], chosen: Sequence[int]) -> list[list[int]]:
    """Run `distinct` over some rows; check that the others and the borders are as they were."""
    values, offsets = packed(rows)
    values = values.copy()
    sizes = np.full(len(rows), -1, dtype=np.int64)
    sets.distinct(values, offsets, sizes, frozen(chosen, np.int64))
    for row, size in enumerate(sizes.tolist()):
        if row not in chosen:
            assert (-1, list(rows[row])) == (size, values[offsets[row] : offsets[row + 1]].tolist())
    return [values[offsets[row] : offsets[row] + sizes[row]].tolist() for row in chosen]


CROWDS = st.one_of(
    st.lists(hashes64, max_size=300),
    st.lists(st.integers(0, 40), max_size=300),  # all in the first slot
    st.lists(st.integers(MASK64 - 100, MASK64), max_size=300),  # all in the last one
    st.lists(st.sampled_from([0, MASK64, MASK64 - 1, 1 << 63]), max_size=80),
    st.builds(lambda h, n: [h] * n, hashes64, st.integers(0, 200)),
)


@given(st.lists(CROWDS, max_size=4), st.data())
def test_distinct(rows: list[list[int]], data: st.DataObject) -> None:
    """The chosen rows become their sorted sets, for any values; the others are unchanged."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True)) if rows else []
    assert [sorted(set(rows[row])) for row in chosen] == made_distinct(rows, chosen)


@pytest.mark.parametrize("size", [2, 31, 32, 33, 34, 35, 200, 3000])
def test_distinct_of_crowds(size: int) -> None:
    """Hashes in one cell take more steps than the last pass allows: the heap continues, and the next row is fast.

    A descending crowd takes half its square of steps, 16 a hash are allowed, so the change comes at 33 hashes.
    """
    last = [MASK64 - 1 - i for i in range(size)]
    plain = [kernel_twins.mix(i) for i in range(size)]
    rows = [last, plain, last[::-1], [*plain, MASK64], [*last, *last], plain, [*plain, *last], [*last, *plain]]
    assert [sorted(set(row)) for row in rows] == made_distinct(rows, range(len(rows)))


def test_distinct_gives_up_after_hashes_were_dropped() -> None:
    """If the last pass has dropped some hashes before it gives up, none of the rest is lost."""
    for copies in (1, 2, 50):
        row = [7] * copies + [100_000 - i for i in range(500)] + [8, 7, 100_001] * copies
        assert [sorted(set(row))] == made_distinct([row], [0])


def test_distinct_of_random_rows() -> None:
    """Thousands of random hashes, with repeats, of any size of row."""
    generator = np.random.default_rng(7)
    rows = []
    for size in (1, 2, 3, 31, 32, 33, 1000, 5000, 20_000, 300_000):
        row = generator.integers(0, MASK64, size, dtype=np.uint64, endpoint=True)
        rows.append([*row.tolist(), *row[: size // 3].tolist()])
    assert [sorted(set(row)) for row in rows] == made_distinct(rows, range(len(rows)))


# ------------------------------------------------------------------------------ MinHash and LSH


@given(rows64, st.integers(1, 130), st.integers(0, MASK32))
def test_sign(rows: list[list[int]], num_perm: int, seed: int) -> None:
    """Each lane is the smallest value of its function over the row; all ones for none."""
    a, c = kernel_twins.permutations(num_perm, seed)
    values, offsets = packed(rows)
    found = np.full((len(rows), num_perm), 7, dtype=np.uint32)
    minhash.sign(values, offsets, frozen(a, np.uint32), frozen(c, np.uint32), found)
    assert [kernel_twins.signature(row, a, c) for row in rows] == found.tolist()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=70))
def test_agreement(lanes: list[tuple[int, int]]) -> None:
    """Lanes agree where they are equal."""
    left, right = (frozen([lane[side] for lane in lanes], np.uint32) for side in (0, 1))
    assert sum(a == b for a, b in lanes) == minhash.agreement(left, right)


@given(st.integers(0, 5), st.integers(1, 5), st.integers(1, 5), st.data())
def test_band_keys(texts: int, bands: int, rows: int, data: st.DataObject) -> None:
    """Each key is the fold of its band's lanes; lanes after the last band do not matter."""
    lane = st.one_of(st.sampled_from([0, 1, MASK32]), st.integers(0, MASK32))
    width = bands * rows + data.draw(st.integers(0, 2))
    row = st.lists(lane, min_size=width, max_size=width)
    signatures = data.draw(st.lists(row, min_size=texts, max_size=texts))
    array = frozen(signatures, np.uint32).reshape(texts, width)
    keys = np.full((bands, texts), 7, dtype=np.uint64)
    lsh.band_keys(array, rows, keys)
    assert [kernel_twins.band_keys(row, bands, rows) for row in signatures] == keys.T.tolist()


def partners(keys: Sequence[int], texts: Sequence[int]) -> list[int]:
    """Give the texts whose key is that of another one of them."""
    return [text for text in texts if sum(keys[other] == keys[text] for other in texts) > 1]


@given(st.lists(st.one_of(st.integers(0, 9), hashes64), max_size=60), st.data())
def test_seen_twice_misses_nothing(keys: list[int], data: st.DataObject) -> None:
    """Every text that has a partner is found, in order; what is found was asked for."""
    texts = sorted(data.draw(st.sets(st.sampled_from(range(len(keys)))))) if keys else []
    found = lsh.seen_twice(frozen(keys, np.uint64), frozen(texts, np.int64)).tolist()
    wanted = partners(keys, texts)
    assert wanted == [text for text in found if text in wanted]
    assert [text for text in texts if text in found] == found


def test_seen_twice_finds_little_else() -> None:
    """Of 20,000 keys that occur once few are found.

    The table has at least 16 slots a key, so a key shares its slot with probability at most 1 / 16:
    1,250 of them, with a standard deviation below sqrt(2 * 1,250) since they come in pairs.
    """
    keys = np.random.default_rng(3).integers(0, MASK64, 20_000, dtype=np.uint64)
    assert len(np.unique(keys)) == len(keys)
    found = lsh.seen_twice(keys, np.arange(len(keys), dtype=np.int64))
    assert len(found) < 1_250 + 5 * 50


@given(st.lists(st.lists(st.integers(0, MASK32), max_size=9, unique=True).map(sorted), max_size=8))
def test_bucket_pairs(buckets: list[list[int]]) -> None:
    """All pairs of each bucket, as left << 32 | right, unsigned up to the last bit."""
    members, bounds = packed(buckets)
    pairs = lsh.bucket_pairs(frozen(members.tolist(), np.int64), bounds)
    assert "uint64" == dtypes(pairs)
    assert [a << 32 | b for a, b in kernel_twins.bucket_pairs(buckets)] == pairs.tolist()


# ------------------------------------------------------------------------------------ references


def test_who_makes_arrays_counts_references() -> None:
    """numba counts none for a function that makes no array: so all ways to make one have to be known."""
    known = {
        "np.float64",
        "np.uint8",
        "np.uint32",
        "np.uint64",
        "np.int32",
        "np.int64",
        "np.iinfo",
        "np.dtype",
        "slots.dtype.type",
        "table.dtype.type",
    }
    called = set()
    for path in Path(kernels.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            decorators = [ast.unparse(each) for each in getattr(function, "decorator_list", [])]
            if {"kernel", "part", "shared"} & {*decorators}:
                calls = (each.func for each in ast.walk(function) if isinstance(each, ast.Call))
                called |= {ast.unparse(each) for each in calls if isinstance(each, ast.Attribute)}
    made = {name for name in called if name not in known}
    assert {name.rpartition(".")[2] for name in made} == ALLOCATING


def test_what_counts_references() -> None:
    """A function that makes an array, or returns one; not one that only slices what it gets."""

    def makes() -> int:
        return len(np.empty(3, dtype=np.int64))

    def returns(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return values

    def slices(values: npt.NDArray[np.int64]) -> int:
        return int(values[1:][0])

    assert [True, True, False] == [options_of(each)["_nrt"] for each in (makes, returns, slices)]
