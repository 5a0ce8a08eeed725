"""The options `within` and `across` as they were given: the labels that they name, read and checked."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.hash_key import HashKey
from dedup.hashing.labels import Labels, keys_of_column, keys_of_values
from dedup.sources.files.batch import Batch
from dedup.sources.frames import values_of
from dedup.sources.texts import Texts

__all__ = ["LabelOptions"]


class LabelOptions(NamedTuple):
    """What `within` and `across` were given: the name of a column, one label per text, or None; and the hash key."""

    within: Any
    across: Any
    key: HashKey

    @property
    def _given(self) -> tuple[tuple[str, Any], tuple[str, Any]]:
        return ("within", self.within), ("across", self.across)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The options that name a column, each with its column."""
        return [(option, name) for option, name in self._given if isinstance(name, str)]

    def read(self, texts: Texts) -> Labels:
        """Return the labels of all texts. Raise `InputError` if there is not one per text, or one is no label."""
        return Labels(*(_labels(option, value, texts, self.key) for option, value in self._given))

    def read_batch(self, batch: Batch, kept: Container[str | None]) -> tuple[Batch, Labels]:
        """Return the labels of the texts in a batch of a file, and the batch with only the `kept` columns."""
        if not self.columns:
            return batch, Labels()
        found = {option: keys_of_column(batch.extra[name], option, self.key) for option, name in self.columns}
        extra = {name: values for name, values in batch.extra.items() if name in kept}
        return batch._replace(extra=extra), Labels(**found)

    def check_named(self) -> None:
        """Raise `ParameterError` if labels are given one by one: those of texts in files are read with the texts."""
        for option, value in self._given:
            if value is not None and not isinstance(value, str):
                raise ParameterError(
                    f"{option}: expected the name of a column for texts in files, found {type(value).__name__}; "
                    "the labels are read from the files"
                )


def _labels(option: str, value: Any, texts: Texts, key: HashKey) -> npt.NDArray[np.uint64] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return keys_of_column(texts.column(value, option), option, key)
    values = values_of(value)
    if len(values) != len(texts):
        raise InputError(
            f"{option}: expected one label per text, found {len(values):,} for {len(texts):,} texts; pass one for "
            "each, or the name of one column"
        )
    return keys_of_values(values, option, key)
