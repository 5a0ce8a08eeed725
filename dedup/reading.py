"""The reading of texts: what is ignored in them, what is a token, and the key that hashes tokens."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from dedup.hash_key import PUBLIC, HashKey, choose_key
from dedup.options import check_word, check_words

__all__ = ["IGNORE", "PLAIN", "TOKENS", "Reading"]

IGNORE = ACCENTS, MARKUP, HYPHENATION, IGNORED_NUMBERS = ("accents", "markup", "hyphenation", "numbers")
"""What a search can ignore. `dedup.text.rewriting` defines each."""

IN_CONTEXT = (MARKUP, HYPHENATION)

TOKENS = WORDS, ALL = ("words", "all")
"""What is a token: words, or each symbol and punctuation code point (S*, P*) too."""


class Reading(NamedTuple):
    """How texts become hashed tokens. Two texts can be compared only if they were read in the same way."""

    key: HashKey = PUBLIC
    ignore: tuple[str, ...] = ()
    tokens: str = WORDS

    @classmethod
    def check(
        cls, ignore: str | Collection[str] = (), tokens: str = WORDS, hash_key: bytes | HashKey | None = None
    ) -> Reading:
        """Return the reading. Raise `ParameterError` if an option has an invalid value."""
        return cls(choose_key(hash_key), check_words("ignore", ignore, IGNORE), check_word("tokens", tokens, TOKENS))

    @property
    def plain(self) -> bool:
        """Return whether texts are read as they are: nothing is ignored, and only words are tokens."""
        return not self.ignore and self.tokens == WORDS

    @property
    def context(self) -> Reading:
        """Return the part of it that can reach beyond a paragraph or line: that texts are rewritten for as a whole."""
        return self._replace(ignore=tuple(word for word in self.ignore if word in IN_CONTEXT), tokens=WORDS)

    @property
    def without_context(self) -> Reading:
        """Return the other part, for which a text can be rewritten code point by code point."""
        return self._replace(ignore=tuple(word for word in self.ignore if word not in IN_CONTEXT))

    @property
    def options(self) -> dict[str, Any]:
        """Return the options but for the key."""
        return {"ignore": self.ignore, "tokens": self.tokens}

    def asked(self) -> dict[str, Any]:
        """Return the options, as JSON, without the key."""
        return {"ignore": list(self.ignore), "tokens": self.tokens}


PLAIN = Reading()
"""The reading of all texts unless options say otherwise, with the public key."""
