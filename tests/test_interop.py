"""datasketch 2.0: the same values for the same tokens and seed, there and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import ParameterError
from dedup.interop import datasketch_signatures, from_datasketch, to_leanminhash, to_minhash
from dedup.minhash import EMPTY_LANE, estimate, signatures
from dedup.shingling import shingles
from tests import corpora, kernel_twins
from tests.kernel_arrays import dtypes

datasketch = pytest.importorskip("datasketch", minversion="2.0")

tokens = st.frozensets(st.one_of(st.sampled_from([b"", b"one", b"two"]), st.binary(max_size=9)), max_size=20)
seeds = st.one_of(st.sampled_from([0, 1, 42, (1 << 32) - 1]), st.integers(0, (1 << 32) - 1))


def theirs(members: Any, num_perm: int, seed: int) -> Any:
    """Give datasketch's own MinHash of some tokens."""
    minhash = datasketch.MinHash(num_perm=num_perm, seed=seed)
    minhash.update_batch(list(members))
    return minhash


# ------------------------------------------------------------------------------------- the same values


@given(st.lists(tokens, max_size=4), st.sampled_from([1, 2, 16, 64, 128, 200, 256]), seeds)
def test_signatures_are_those_of_datasketch(sets: list[frozenset[bytes]], num_perm: int, seed: int) -> None:
    """`datasketch_signatures` gives exactly the hash values that `update_batch` leaves."""
    found = datasketch_signatures(sets, num_perm=num_perm, seed=seed)
    assert ("uint32", (len(sets), num_perm)) == (dtypes(found), found.shape)
    expected = [theirs(members, num_perm, seed).hashvalues.tolist() for members in sets]
    assert expected == found.tolist()


def test_one_update_after_the_other() -> None:
    """What datasketch adds token by token is the same too, in any order, repeated or not."""
    words = [str(i).encode() for i in range(300)]
    minhash = datasketch.MinHash(num_perm=128, seed=7)
    for word in words:
        minhash.update(word)
    found = datasketch_signatures([words, words[::-1] + words[:9], iter(words)], num_perm=128, seed=7)
    assert [minhash.hashvalues.tolist()] * 3 == found.tolist()


def test_defaults_are_those_of_datasketch() -> None:
    """128 permutations of seed 1, as `MinHash()` has."""
    minhash = datasketch.MinHash()
    minhash.update_batch([b"one", b"two"])
    assert minhash.hashvalues.tolist() == datasketch_signatures([[b"one", b"two"]])[0].tolist()
    assert (128, 1) == (len(minhash.hashvalues), minhash.seed)


def test_empty_sets() -> None:
    """An empty set has all ones, as in datasketch; no sets have no rows."""
    found = datasketch_signatures([[], [b"one"], []], num_perm=8)
    assert theirs([], 8, 1).hashvalues.tolist() == found[0].tolist() == found[2].tolist()
    assert [EMPTY_LANE] * 8 == found[0].tolist()
    assert [[EMPTY_LANE] * 8] == datasketch_signatures([[]], num_perm=8).tolist()
    assert (0, 8) == datasketch_signatures([], num_perm=8).shape


# ------------------------------------------------------------------------------------ there and back


@pytest.mark.parametrize("seed", [0, 1, 42])
@pytest.mark.parametrize("make", [to_minhash, to_leanminhash])
def test_there_and_back(make: Any, seed: int) -> None:
    """Signatures become objects of datasketch and signatures again, bit for bit, with their seed."""
    texts = [*corpora.chain(), "", "one"]
    rows = signatures(shingles(texts), num_perm=64, seed=seed)
    objects = [make(row, seed=seed) for row in rows]
    assert {"affine32"} == {minhash.scheme for minhash in objects}
    back, found = from_datasketch(objects)
    assert (seed, int) == (found, type(found))
    assert ("uint32", rows.tolist()) == (dtypes(back), back.tolist())


@pytest.mark.parametrize("make", [to_minhash, to_leanminhash])
def test_jaccard_is_the_estimate(make: Any) -> None:
    """datasketch estimates from the objects what `dedup.minhash.estimate` does from the signatures."""
    rows = signatures(shingles(corpora.chain()), num_perm=128)
    objects = [make(row) for row in rows]
    for left, first in zip(rows, objects, strict=True):
        for right, second in zip(rows, objects, strict=True):
            assert first.jaccard(second) == estimate(left, right)


def test_objects_do_not_share_memory() -> None:
    """What happens to an object afterwards does not reach the signatures."""
    rows = datasketch_signatures([[b"one"], [b"two"]], num_perm=16)
    before = rows.tolist()
    minhash = to_minhash(rows[0])
    minhash.update_batch([b"two", b"three"])
    lean = to_leanminhash(rows[0])
    lean.hashvalues[:] = 0
    assert before == rows.tolist()


def test_objects_continue_where_signatures_ended() -> None:
    """An object made of `datasketch_signatures` can be updated and merged in datasketch."""
    one, two, both = datasketch_signatures([[b"one"], [b"two"], [b"one", b"two"]], num_perm=32, seed=5)
    minhash = to_minhash(one, seed=5)
    minhash.update(b"two")
    assert both.tolist() == minhash.hashvalues.tolist()
    merged = to_minhash(one, seed=5)
    merged.merge(to_minhash(two, seed=5))
    assert both.tolist() == merged.hashvalues.tolist()
    union = datasketch.MinHash.union(to_minhash(one, seed=5), theirs([b"two"], 32, 5))
    assert both.tolist() == union.hashvalues.tolist()


def test_both_kinds_of_objects_at_once() -> None:
    """`MinHash` and `LeanMinHash` come back together, from a generator too."""
    rows = datasketch_signatures([[b"one"], [b"two"]], num_perm=16, seed=3)
    back, seed = from_datasketch(f(row, seed=3) for f, row in zip((to_minhash, to_leanminhash), rows, strict=True))
    assert (3, rows.tolist()) == (seed, back.tolist())


def test_signatures_of_texts_are_those_of_the_scheme() -> None:
    """dedup's own signatures are affine32 over the high halves of its shingle hashes."""
    sets = shingles(["one two three four"], "words:2")
    a, c = kernel_twins.permutations(16, 9)
    expected = kernel_twins.signature(sets[0].tolist(), a, c)
    assert expected == to_minhash(signatures(sets, num_perm=16, seed=9)[0], seed=9).hashvalues.tolist()


def test_objects_of_the_older_scheme_are_read() -> None:
    """`legacy` values come in as they are; they are still comparable among one another."""
    objects = [datasketch.MinHash(num_perm=16, scheme="legacy") for _ in range(2)]
    objects[0].update_batch([b"one", b"two"])
    objects[1].update_batch([b"one"])
    back, seed = from_datasketch(objects)
    assert (1, [minhash.hashvalues.tolist() for minhash in objects]) == (seed, back.tolist())
    assert objects[0].jaccard(objects[1]) == estimate(back[0], back[1])


# ---------------------------------------------------------------------------------------------- errors


def test_objects_that_do_not_fit() -> None:
    """Other seeds, lengths or schemes are refused with both, and the position."""
    first = datasketch.MinHash(num_perm=16, seed=1)
    others = [
        (datasketch.MinHash(num_perm=16, seed=2), "seed=2"),
        (datasketch.MinHash(num_perm=32, seed=1), "num_perm=32"),
        (datasketch.MinHash(num_perm=16, seed=1, scheme="legacy"), "scheme='legacy'"),
    ]
    for other, found in others:
        with pytest.raises(ParameterError, match=f"expected seed=1, num_perm=16, .*{found}.* at position 2"):
            from_datasketch([first, first, other])
    with pytest.raises(ParameterError, match="minhashes: expected one or more, found none"):
        from_datasketch([])


def test_64_bit_values_are_refused() -> None:
    """Values of 64 bits cannot be cut down: the message says what to do."""
    with pytest.raises(ParameterError, match=r"affine64.*make them again"):
        from_datasketch([datasketch.MinHash(num_perm=16, scheme="affine64")])


@pytest.mark.parametrize("make", [to_minhash, to_leanminhash])
@pytest.mark.parametrize(
    "signature",
    [np.zeros(4, np.uint64), np.zeros((1, 4), np.uint32), np.zeros(4, np.int64), np.zeros(4)],
)
def test_not_a_signature(make: Any, signature: Any) -> None:
    """One row of uint32 is wanted: the message shows shape and dtype."""
    with pytest.raises(ParameterError, match="signature: expected one row of uint32, found shape") as e:
        make(signature)
    assert str(signature.dtype) in str(e.value)


@pytest.mark.parametrize("options", [{"num_perm": 0}, {"num_perm": 1.5}, {"seed": -1}, {"seed": 1 << 32}])
def test_wrong_options(options: dict[str, Any]) -> None:
    """The same errors as for signatures of texts; a seed is looked at wherever it comes in."""
    with pytest.raises(ParameterError, match=next(iter(options))):
        datasketch_signatures([[b"one"]], **options)
    if "seed" in options:
        for make in (to_minhash, to_leanminhash):
            with pytest.raises(ParameterError, match="seed"):
                make(np.zeros(4, np.uint32), **options)


@pytest.mark.parametrize("wrong", ["one", b"one"])
def test_tokens_without_a_set(wrong: Any) -> None:
    """A string where a set of tokens belongs would be taken letter by letter: refused with its place."""
    with pytest.raises(ParameterError, match=f"found {type(wrong).__name__} at position 1"):
        datasketch_signatures([[b"one"], wrong])


def test_datasketch_is_not_needed() -> None:
    """Signatures are made and read without the package; importing `dedup.interop` does not load it."""
    code = (
        "import sys; sys.modules['datasketch'] = None\n"
        "import dedup; print(dedup.interop.datasketch_signatures([[b'one']], num_perm=2).tolist())"
    )
    root = Path(dedup.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, encoding="utf-8", check=True)
    assert f"{datasketch_signatures([[b'one']], num_perm=2).tolist()}\n" == done.stdout
