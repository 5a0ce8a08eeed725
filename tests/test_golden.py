"""Golden hashes: what texts hash to, for ever; on every machine, Python, numpy and numba.

``golden/vectors.json`` was made by `generate`, which knows nothing of dedup: the oracle's tokens and the
plain integers of `tests.kernel_twins`. The library has to give the same values. Where it does not, its outputs
have changed: signatures, band keys and shingle hashes that people have stored no longer fit, and other
pairs may be found. That is a change for the changelog, with a new `FORMAT`; only then is the file made
anew, on a Python whose Unicode is dedup's::

    python -m tests.test_golden

Layout of the file: ``format``, ``unicode``, ``seed``, ``num_perm``, ``bands``, ``rows``; and ``vectors``,
one entry per text, which has its hashes one after the other, as hexadecimal numbers with spaces between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dedup.hashing.shingles import hash_shingles, parse
from dedup.lsh import Bands, band_keys
from dedup.minhash import permutations, sign
from dedup.text import unicode
from dedup.text.tokens import tokens
from tests import corpora, kernel_twins, oracles
from tests.kernel_arrays import dtypes, utf8

FORMAT, UNICODE = 2, "14.0.0"
PATH = Path(__file__).parent / "golden" / "vectors.json"
SEED, NUM_PERM, BANDS, ROWS = 1, 12, 4, 3
SHINGLES = ["words:5", "words:3", "chars:5"]
SKETCHED = "words:3"

TEXTS = [
    *corpora.SCRIPTS.values(),
    "",
    "...",
    "a",
    "one two",
    "seven77 eight888 nine99999 sixteen890123456 seventeen89012345",
    "The quick brown fox jumps over the lazy dog. " * 3,
    "Straße STRASSE ẞ ſs İstanbul ΟΔΥΣΣΕΥΣ ΐ",
    "cafe\u0301 CAF\u00c9 a\u0323\u0307 a\u0307\u0323 \u1100\u1161\u11a8 각",
    "\ufb01n \uff21\uff22\uff11 \u00bd x² ﷺ ｶﾞ Ⅷ \u2460 \u3300",
    "co\u00adoperate zero\u200bwidth a\u200db \ufeffbom snake_case __init__ don't 3.14",
    "北京abc大学 ก็ดี x カ゛ガｶﾞ 々〇 𝒜𐐀😀👩\u200d👩\u200d👧",
    "nul\0separates \ud800surrogates\udfff too \u0378unassigned \ue000private \uffff",
]


def hexadecimal(values: Iterable[Any], digits: int = 16) -> str:
    """Give numbers as the file has them."""
    return " ".join(f"{int(value):0{digits}x}" for value in values)


def generate() -> dict[str, Any]:
    """Compute the whole file without dedup."""
    functions = kernel_twins.permutations(NUM_PERM, SEED)
    vectors = []
    for text in TEXTS:
        words = oracles.tokens(text)
        by_kind = {"words": kernel_twins.token_hashes(words), "chars": kernel_twins.character_hashes(words)}
        entry: dict[str, Any] = {"text": text, "tokens": " ".join(words)}
        entry["token_hashes"] = hexadecimal(by_kind["words"])
        entry["digest"] = hexadecimal(kernel_twins.digest(words))
        for shingle in SHINGLES:
            kind, _, size = shingle.partition(":")
            hashes = kernel_twins.shingle_hashes(by_kind[kind], int(size))
            entry[shingle] = hexadecimal(hashes)
            if shingle == SKETCHED:
                lanes = kernel_twins.signature(hashes, *functions)
                entry["signature"] = hexadecimal(lanes, 8)
                entry["band_keys"] = hexadecimal(kernel_twins.band_keys(lanes, BANDS, ROWS))
        vectors.append(entry)
    head = {
        "format": FORMAT,
        "unicode": UNICODE,
        "seed": SEED,
        "num_perm": NUM_PERM,
    }
    return {**head, "bands": BANDS, "rows": ROWS, "sketched": SKETCHED, "vectors": vectors}


def dumped(golden: dict[str, Any]) -> str:
    """Give the file's content: one entry per paragraph, only ASCII."""
    return json.dumps(golden, indent=1, sort_keys=False) + "\n"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    """Give the file."""
    loaded: dict[str, Any] = json.loads(PATH.read_text(encoding="ascii"))
    return loaded


CHANGED = "the outputs have changed: a line in the changelog, a new FORMAT, and only then new vectors"


def test_the_file_is_the_generated_one(golden: dict[str, Any]) -> None:
    """Nobody edited the file by hand, and nobody changed a definition in tests without making it anew."""
    if not oracles.SAME_UNICODE:
        pytest.skip("the tokens of the oracle are those of another Unicode")
    assert generate() == golden, CHANGED
    assert dumped(golden) == PATH.read_text(encoding="ascii")


def test_the_format(golden: dict[str, Any]) -> None:
    """The file says which format and which Unicode it is of, and holds enough of every kind."""
    assert (FORMAT, unicode.UNICODE_VERSION) == (golden["format"], golden["unicode"])
    assert TEXTS == [entry["text"] for entry in golden["vectors"]]
    assert len(TEXTS) >= 25


def test_token_hashes(golden: dict[str, Any]) -> None:
    """Tokens hash to what they always did."""
    for entry in golden["vectors"]:
        found = hexadecimal(token.hash for token in tokens(entry["text"]))
        assert entry["token_hashes"] == found, f"{entry['text']!r}: {CHANGED}"


@pytest.mark.parametrize("shingle", SHINGLES)
def test_shingle_hashes(golden: dict[str, Any], shingle: str) -> None:
    """Shingles hash to what they always did, in a block of all texts; the digests of the texts too."""
    block = utf8([entry["text"] for entry in golden["vectors"]])
    values, offsets, digests = hash_shingles(*block, parse(shingle))
    assert "uint64 uint64" == dtypes(values, digests)
    for row, entry in enumerate(golden["vectors"]):
        found = hexadecimal(values[offsets[row] : offsets[row + 1]])
        assert entry[shingle] == found, f"{entry['text']!r}: {CHANGED}"
        assert entry["digest"] == hexadecimal(digests[row]), CHANGED


def test_signatures_and_band_keys(golden: dict[str, Any]) -> None:
    """The functions of a seed, the signatures that they give and the keys of their bands."""
    block = utf8([entry["text"] for entry in golden["vectors"]])
    values, offsets, _ = hash_shingles(*block, parse(golden["sketched"]))
    rows = sign(values, offsets, *permutations(golden["num_perm"], golden["seed"]))
    assert [entry["signature"] for entry in golden["vectors"]] == [hexadecimal(row, 8) for row in rows], CHANGED
    keys = band_keys(rows, Bands(golden["bands"], golden["rows"], 0.8, 0.9)).T
    expected = [entry["band_keys"] for entry in golden["vectors"]]
    assert expected == [hexadecimal(row) for row in keys], CHANGED


if __name__ == "__main__":
    assert oracles.SAME_UNICODE, f"make the file with a Python of Unicode {UNICODE}"
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(dumped(generate()), encoding="ascii")
