"""The labels of `within` and `across`: of a column, or given one per text; each checked against the texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError
from dedup.hash_key import HashKey
from dedup.hashing.labels import Labels, keys_of_column, keys_of_values
from dedup.pipelines.query import Query
from dedup.sources.files.batch import Batch
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.frames import values_of
from dedup.sources.texts import Texts

__all__ = ["check_labels_of", "check_named", "labels_of", "labels_of_batch"]


def labels_of(query: Query, texts: Texts) -> Labels:
    """Return the labels of all texts. Raise `InputError` if there is not one per text, or one is no label."""
    key = query.shingle.key
    return Labels(*(_labels(option, value, texts, key) for option, value in _asked(query)))


def labels_of_batch(query: Query, batch: Batch) -> tuple[Batch, Labels]:
    """Return a batch of a file without the columns that are only labels, and the labels of its texts."""
    asked = [(option, name) for option, name in _asked(query) if name is not None]
    if not asked:
        return batch, Labels()
    key = query.shingle.key
    found = {option: keys_of_column(batch.extra[name], option, key) for option, name in asked}
    extra = {name: values for name, values in batch.extra.items() if name == query.keep_column}
    return batch._replace(extra=extra), Labels(**found)


def check_labels_of(query: Query, texts: Texts) -> None:
    """Raise what `labels_of` would raise. Of files, only the first records are read."""
    if not isinstance(texts, FileTexts):
        labels_of(query, texts)
        return
    check_named(query)
    for option, name in query.other_columns:
        texts.check_column(name, option)


def check_named(query: Query) -> None:
    """Raise `ParameterError` if labels are given one by one: those of texts in files are read with the texts."""
    for option, value in _asked(query):
        if value is not None and not isinstance(value, str):
            raise ParameterError(
                f"{option}: expected the name of a column for texts in files, found {type(value).__name__}; "
                "the labels are read from the files"
            )


def _asked(query: Query) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return ("within", query.within), ("across", query.across)


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
