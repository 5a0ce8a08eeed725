"""The options of an index: chosen when it is made, kept in its manifest, and the same for everything that is in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dedup.errors import ParameterError
from dedup.hash_key import HashKey, choose_key
from dedup.hashing.forms import CHARACTERS, DISTINCT, NUMBERS
from dedup.hashing.shingles import Shingle, parse
from dedup.lsh.bands import Bands, choose_bands
from dedup.options import MOST_WORDS, check_flag, check_threshold, check_whole, check_word, check_words, shown
from dedup.reading import WORDS, Reading
from dedup.text.unicode import UNICODE_VERSION
from dedup.unit import Unit

__all__ = ["BY_BANDS", "BY_SHINGLES", "HASHES_ALONE", "WITH_TEXT", "Settings"]

BY_SHINGLES, BY_BANDS = "exact", "lsh"
"""How documents are found: all of them, by shingles; or nearly all, by bands of signatures."""

RECALL = 0.999
"""The least probability with which ``method="lsh"`` finds a pair at the threshold."""

HASHES_ALONE, WITH_TEXT = "hashes", "text"
"""What is kept of a text: its hashes alone, or also the text itself."""


@dataclass(frozen=True)
class Settings:
    """The options of an index.

    Attributes
    ----------
    threshold : the lowest threshold of a query
    shingle : with the reading of texts: the key of the hashes, what is ignored, what is a token
    containment : whether all hashes have a posting, so that "my text is inside a document" can be asked
    distinct : "numbers", "symbols": texts that differ in these alone are no pair
    store : "hashes" or "text": whether the texts themselves are kept too
    passages : the least number of tokens of a passage that can be found, or None
    bands : those by which documents are found with ``method="lsh"``; None if they are found exactly
    """

    threshold: float
    shingle: Shingle
    containment: bool
    distinct: tuple[str, ...] = ()
    store: str = HASHES_ALONE
    passages: int | None = None
    bands: Bands | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms of a text that tell it from others, or say what it differs in."""
        return tuple(dict.fromkeys((CHARACTERS, NUMBERS, *self.distinct)))

    @property
    def with_texts(self) -> bool:
        """Whether the texts are kept."""
        return self.store == WITH_TEXT

    @classmethod
    def check(
        cls,
        *,
        threshold: float,
        shingle: str | None,
        containment: bool,
        distinct: str | Collection[str] = (),
        ignore: str | Collection[str] = (),
        tokens: str = WORDS,
        store: str = HASHES_ALONE,
        passages: int | None = None,
        method: str = BY_SHINGLES,
        hash_key: bytes | HashKey | None,
    ) -> Settings:
        """Return the settings. Raise `ParameterError` if an option has an invalid value."""
        kind = parse(Unit.DOCUMENT.shingle if shingle is None else shingle, Reading.check(ignore, tokens, hash_key))
        words = check_words("distinct", distinct, DISTINCT)
        if NUMBERS in words and NUMBERS in kind.reading.ignore:
            raise ParameterError(
                'ignore: expected "numbers" in ignore or in distinct, found it in both; texts that differ in numbers '
                "alone are either the same or no pair: leave one of them out"
            )
        kept = check_word("store", store, (HASHES_ALONE, WITH_TEXT))
        size = None if passages is None else check_whole("passages", passages, 1, MOST_WORDS, also=", or None")
        if size is not None and kept != WITH_TEXT:
            raise ParameterError(
                f'passages: expected store="text" (--store text), in which passages are found, found store='
                f"{shown(kept)}; give both, or no passages"
            )
        lowest, complete = check_threshold(threshold), check_flag("containment", containment)
        bands = (
            choose_bands(lowest, RECALL) if check_word("method", method, (BY_SHINGLES, BY_BANDS)) == BY_BANDS else None
        )
        if complete and bands is not None:
            raise ParameterError(
                'method: expected "exact" with containment, which bands of signatures do not find, found "lsh"; leave '
                "one of them out"
            )
        return cls(lowest, kind, complete, words, kept, size, bands)

    def to_json(self) -> dict[str, Any]:
        """Return what the manifest has: no key, but its fingerprint."""
        return {
            "threshold": self.threshold,
            "shingle": str(self.shingle),
            "containment": self.containment,
            "distinct": list(self.distinct),
            "store": self.store,
            "passages": self.passages,
            "method": BY_SHINGLES if self.bands is None else BY_BANDS,
            "bands": None if self.bands is None else [self.bands.bands, self.bands.rows],
            "hash_key": self.shingle.key.fingerprint,
            **self.shingle.reading.asked(),
            "unicode": UNICODE_VERSION,
        }

    @classmethod
    def from_json(cls, found: dict[str, Any], path: object, hash_key: bytes | HashKey | None) -> Settings:
        """Return the settings of the index at `path`.

        Raises `ParameterError` if the index was made with another hash key or for another Unicode version: its hashes
        would not be those of the same texts now.
        """
        key = choose_key(hash_key)
        if found["hash_key"] != key.fingerprint:
            raise ParameterError(
                f"hash_key: expected the key of fingerprint {found['hash_key']}, with which the index in {path} was "
                f"made, found fingerprint {key.fingerprint}; give hash_key= (--hash-key-file), or set "
                "DEDUP_HASH_KEY"
            )
        if found["unicode"] != UNICODE_VERSION:
            raise ParameterError(
                f"expected an index for Unicode {UNICODE_VERSION} in {path}, found one for {found['unicode']}; use the "
                "version of dedup that made it, or add the texts to a new index"
            )
        reading = Reading(key, tuple(found.get("ignore", ())), str(found.get("tokens", WORDS)))
        kind, words = parse(found["shingle"], reading), tuple(found.get("distinct", ()))
        lowest, cut = float(found["threshold"]), found.get("bands")
        return cls(
            lowest,
            kind,
            bool(found["containment"]),
            words,
            store=found.get("store", HASHES_ALONE),
            passages=found.get("passages"),
            bands=None if cut is None else Bands(int(cut[0]), int(cut[1]), lowest, RECALL),
        )
