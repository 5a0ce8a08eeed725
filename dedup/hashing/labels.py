"""Labels: which texts are compared, by a column or by one label per text.

A label is a 64-bit key: a keyed hash of its value, 0 for a missing one. Equal values have equal keys, and other values
have other keys, up to chance.

* ``within``: only texts of one label are compared. The key is mixed into all hashes of a text (exclusive or). So texts
  of one label share as many hashes as before, and texts of two labels share none: no stage needs to know the labels,
  and what is common in all labels costs nothing. In naive Python: ``{hash ^ key for hash in shingles}``.
* ``across``: texts of one label are never compared. The key is a form of the text (`dedup.hashing.forms`), and units of
  an equal one are no pair.

The numbers 1 and 1.0 are one label; 1 and "1" are two, and so are True and 1.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError
from dedup.hash_key import HashKey
from dedup.options import shown

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LABEL", "NO_LABELS", "Labels", "keys_of_column", "keys_of_values"]

LABEL = "label"
"""The form of a unit that has the key of its label, where texts of one label are no pair."""

KNOWN_LABELS = 1 << 16
"""Labels whose keys are remembered at a time, and rows of a column that are read at a time: a few megabytes. Curve:
`benchmarks.tuning.labels_known_labels`; flat from 2^10 to 2^18 on generated:20000 (two busy cores, 2026-11)."""

Keys = npt.NDArray[np.uint64]


class Labels(NamedTuple):
    """The keys of the labels of some texts (uint64, one per text); None if texts have no such labels."""

    within: Keys | None = None
    across: Keys | None = None

    def __bool__(self) -> bool:
        return self.within is not None or self.across is not None

    def take(self, texts: npt.NDArray[np.int64]) -> Labels:
        """Return the labels of some of the texts."""
        return Labels(*(None if keys is None else keys[texts] for keys in self))


NO_LABELS = Labels()


def keys_of_values(values: Iterable[Any], option: str, key: HashKey) -> Keys:
    """Return the key of each label. Raises `InputError` for a value that is no label, with its position."""
    known: dict[Any, int] = {}
    secret = key.words.tobytes()[:64]

    def keys() -> Iterator[int]:
        for row, value in enumerate(values):
            name = (type(value), value) if value.__hash__ is not None else None
            found = known.get(name) if name is not None else None
            if found is None:
                found = _key(value, secret)
                if found is None:
                    raise InputError(
                        f"{option}: expected labels that are texts, numbers, dates or None, found "
                        f"{type(value).__name__} {shown(value)} at row {row}; pass one label per text"
                    )
                if len(known) >= KNOWN_LABELS:
                    known.clear()
                known[name] = found
            yield found

    return np.fromiter(keys(), dtype=np.uint64)


def keys_of_column(values: pa.Array | pa.ChunkedArray, option: str, key: HashKey) -> Keys:
    """Return the key of the label in each row of a column. Raises `InputError` for a column that has no labels."""
    parts = [np.empty(0, dtype=np.uint64)]
    for chunk in getattr(values, "chunks", [values]):
        parts.extend(_keys_of_chunk(chunk, option, key))
    return np.concatenate(parts)


def _keys_of_chunk(chunk: pa.Array, option: str, key: HashKey) -> Iterator[Keys]:
    """Yield the keys of the labels of an array; each value is hashed once per category, or per part of it."""
    import pyarrow as pa
    import pyarrow.types as kinds

    of = chunk.type.value_type if kinds.is_dictionary(chunk.type) else chunk.type
    if kinds.is_null(of):
        yield np.zeros(len(chunk), dtype=np.uint64)
        return
    if not (_is_text(of) or kinds.is_primitive(of) or kinds.is_decimal(of)):
        raise InputError(f"{option}: expected a column of texts, numbers or dates, found {of}; name another column")
    part = len(chunk) if kinds.is_dictionary(chunk.type) else KNOWN_LABELS
    for at in range(0, len(chunk), max(part, 1)):
        some = chunk[at : at + part]
        if kinds.is_string_view(some.type):
            some = some.cast(pa.large_string())
        if not kinds.is_dictionary(some.type):
            some = some.dictionary_encode()
        keys = np.append(keys_of_values(some.dictionary.to_pylist(), option, key), np.uint64(0))
        yield keys[some.indices.cast(pa.int64()).fill_null(len(keys) - 1).to_numpy(zero_copy_only=False)]


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return any(is_kind(kind) for is_kind in (kinds.is_string, kinds.is_large_string, kinds.is_string_view))


def _key(value: Any, secret: bytes) -> int | None:
    """Return the key of a label, 0 for a missing one; None for what is no label."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):
        return 0
    if isinstance(value, (float, decimal.Decimal)) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, str):
        data = b"s" + value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bool):
        data = b"b%d" % value
    elif isinstance(value, int):
        data = b"i%d" % value
    elif isinstance(value, (float, decimal.Decimal)):
        data = b"f" + repr(float(value)).encode()
    elif isinstance(value, (dt.date, dt.time, dt.timedelta)):
        data = b"d" + str(value).encode()
    else:
        return None
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, key=secret, person=b"dedup label").digest(), "little")
