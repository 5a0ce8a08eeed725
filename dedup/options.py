"""Checks of option values. Each check returns the value as a plain Python int, float, bool or str.

Every public function checks its options here before it reads a text. Numbers of numpy, fractions and decimals are
accepted as numbers; a bool or a str is not a number. After the check a value has one form: ``threshold=1`` and ``1.0``
are the same search, and the kernels are compiled for one type.
"""

from __future__ import annotations

import inspect
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from dedup.errors import InputError, ParameterError

__all__ = [
    "KEEP",
    "Keep",
    "ProgressOption",
    "check_array",
    "check_flag",
    "check_keep",
    "check_labels",
    "check_memory",
    "check_min_documents",
    "check_min_words",
    "check_name",
    "check_path",
    "check_paths",
    "check_progress",
    "check_recall",
    "check_seed",
    "check_share",
    "check_threads",
    "check_threshold",
    "check_whole",
    "check_word",
    "check_words",
    "column_of",
    "refuse_address",
    "shown",
]

MOST_THREADS = 4096
"""Threads. The largest number that is accepted: no machine has more processors, so a larger one is a mistake."""

MOST_BYTES = (1 << 63) - 1
"""Bytes. The largest bound on memory that is accepted: the largest 64-bit integer."""

MOST_WORDS = (1 << 63) - 1
"""Words. The largest `min_words` that is accepted: the largest 64-bit integer."""

SHOWN_VALUE = 60
"""Characters. A message shows at most so many of a value."""

KEEP = ("first", "last", "longest", "shortest", "none")
BY_COLUMN = ("max:", "min:")
"""The two prefixes of a `keep` that names a column."""

UNITS_OF_MEMORY = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
POWERS = {"KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40}

Keep = str | Callable[[Any, str], Any]
ProgressOption = bool | Callable[[str, int, int], Any] | None


def shown(value: object) -> str:
    """Return a value of any type as a message shows it: the beginning of its `repr`.

    >>> shown("best"), shown(80), len(shown("x" * 1000))
    ("'best'", '80', 60)
    """
    try:
        written = repr(value)
        return (" ".join(written.split()) if "\n" in written else written)[:SHOWN_VALUE]
    except Exception:  # noqa: BLE001  # repr may raise (an int of 5,000 digits); that is not the error to report
        return f"a value of type {type(value).__name__}"


def _integer(value: object) -> int | None:
    """Return a whole number as an int, None for any other value."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    return None


def _number(value: Any) -> float | None:
    """Return a number as a float, None for any other value.

    A float of fewer than 64 bits is read as the shortest decimal that rounds to it: ``np.float32(0.8)`` is 0.8.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        return None
    try:
        short = getattr(getattr(value, "dtype", None), "itemsize", 8) < 8 and not isinstance(value, Integral)
        return float(str(value)) if short else float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf
    except ValueError:  # a signalling NaN
        return math.nan


def check_whole(name: str, value: object, least: int, most: int | None = None, *, also: str = "") -> int:
    """Return a whole number from `least` to `most` (None: no upper bound) as an int.

    Any other value raises `ParameterError`. `also` is text for the message: what else the option accepts.

    >>> check_whole("min_words", 50, 1)
    50
    """
    found = _integer(value)
    if found is None or found < least or (most is not None and found > most):
        reach = f"from {least} on" if most is None else f"from {least} to {most}"
        raise ParameterError(f"{name}: expected a whole number {reach}{also}, found {shown(value)}")
    return found


def check_threshold(threshold: object, name: str = "threshold") -> float:
    """Return a `threshold` as a float. Raise `ParameterError` unless ``0 < threshold <= 1``."""
    found = _number(threshold)
    if found is None or not 0.0 < found <= 1.0:
        hint = f" (did you mean {found / 100:g}?)" if found is not None and 10.0 <= found <= 100.0 else ""
        raise ParameterError(f"{name}: expected 0 < threshold <= 1, found {shown(threshold)}{hint}")
    return found


def check_recall(recall: object) -> float:
    """Return a `recall` as a float. Raise `ParameterError` unless ``0 < recall < 1``."""
    found = _number(recall)
    if found is None or not 0.0 < found < 1.0:
        hint = '; the exact method misses nothing: method="exact"' if found == 1.0 else ""
        raise ParameterError(f"recall: expected 0 < recall < 1, found {shown(recall)}{hint}")
    return found


def check_share(name: str, value: object) -> float:
    """Return a number from 0 to 1 as a float. Raise `ParameterError` for any other value."""
    found = _number(value)
    if found is None or not 0.0 <= found <= 1.0:
        raise ParameterError(f"{name}: expected a number from 0 to 1, found {shown(value)}")
    return found


def check_positive(name: str, value: object) -> float:
    """Return a number above 0 as a float. Raise `ParameterError` for any other value."""
    found = _number(value)
    if found is None or not 0.0 < found < float("inf"):
        raise ParameterError(f"{name}: expected a number above 0, found {shown(value)}; give a larger one")
    return found


def check_seed(seed: object) -> int:
    """Return a seed as an int. Raise `ParameterError` unless it is a whole number from 0 to 2^32 - 1."""
    return check_whole("seed", seed, 0, (1 << 32) - 1)


def check_min_words(min_words: object, *, also: str = "") -> int:
    """Return a `min_words`, the least number of words in a repeat or passage. Raise `ParameterError` if it is invalid.

    `also` is text for the message: what else the option accepts.
    """
    found = check_whole("min_words", min_words, 1, also=also)
    return check_whole("min_words", found, 1, MOST_WORDS, also=also)


def check_threads(threads: object) -> int | None:
    """Return a number of threads, or None if the machine decides. Raise `ParameterError` if it is invalid."""
    if threads is None:
        return None
    found = check_whole("threads", threads, 1, also=", or None")
    return check_whole("threads", found, 1, MOST_THREADS, also=", or None")


def check_memory(memory: object) -> int | None:
    """Return a bound on memory in bytes, or None for no bound.

    `memory` is a whole number or a str such as "4GB", "500 MB", "2GiB"; any other value raises `ParameterError`.

    >>> check_memory("4GB"), check_memory("1.5 GiB"), check_memory(1e9)
    (4000000000, 1610612736, 1000000000)
    """
    if memory is None:
        return None
    found: float | None = None
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([KMGT]?)(I?)B?\s*", memory.upper())
        if match and not (match[3] and not match[2]):
            found = float(match[1]) * (POWERS[f"{match[2]}I"] if match[3] else UNITS_OF_MEMORY[match[2]])
    else:
        found = _integer(memory)
        if found is None:
            number = _number(memory)
            found = number if number is not None and number.is_integer() else None
    if found is None or not 1 <= found <= MOST_BYTES:
        most = "" if found is None or found < 1 else f", at most {MOST_BYTES:,} bytes"
        raise ParameterError(f'memory: expected bytes, or a text such as "4GB" or "500MB"{most}, found {shown(memory)}')
    return int(found)


def check_word(name: str, value: object, known: Collection[str]) -> str:
    """Return a word that is one of the `known` words. Raise `ParameterError` if it is not."""
    if not isinstance(value, str) or value not in known:
        raise ParameterError(f"{name}: expected {' or '.join(map(repr, known))}, found {shown(value)}")
    return str(value)


def check_words(name: str, value: object, known: Sequence[str]) -> tuple[str, ...]:
    """Return some of the `known` words, in their order, each once; `value` is one of them, or a collection.

    Raises `ParameterError` if it is not.

    >>> check_words("distinct", ["symbols", "numbers"], ("numbers", "symbols"))
    ('numbers', 'symbols')
    """
    many = isinstance(value, Collection) and not isinstance(value, (str, bytes, bytearray, memoryview, Mapping))
    words = list(value) if many and isinstance(value, Collection) else [value]
    for word in words:
        if not isinstance(word, str) or word not in known:
            parts = {part.strip() for part in word.split(",")} if isinstance(word, str) else set()
            hint = f"; in a shell give --{name} for each" if len(parts) > 1 and parts <= set(known) else ""
            raise ParameterError(
                f"{name}: expected {' or '.join(map(repr, known))}, or several of them in a list, found "
                f"{shown(word)}{hint}"
            )
    return tuple(word for word in known if word in words)


def check_path(name: str, value: object) -> str:
    """Return a path as a str. Raise `ParameterError` if it is not a path, or if it is on another machine."""
    path = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(path, str) or "\0" in path or not path:
        raise ParameterError(
            f"{name}: expected a path (str or pathlib.Path), found {type(value).__name__} {shown(value)}"
        )
    refuse_address(name, path)
    return path


def refuse_address(name: str, path: str | os.PathLike[str]) -> None:
    """Raise `ParameterError` if a path is an address, as ``s3://bucket/key``."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(path)):
        raise ParameterError(
            f"{name}: expected a path on this machine, found {os.fspath(path)}; name one, and copy what is there, or "
            "goes there"
        )


def check_paths(paths: Iterable[Any]) -> list[str]:
    """Return paths as a flat list of str; lists of paths may be nested. Raise `InputError` for any other value."""
    names: list[str] = []
    for given in paths:
        if isinstance(given, (str, os.PathLike)):
            name = os.fspath(given)
            if isinstance(name, str) and "\0" not in name:
                names.append(name)
                continue
        elif isinstance(given, Iterable) and not isinstance(given, (bytes, bytearray, memoryview, Mapping)):
            names += check_paths(given)
            continue
        found = f"{type(given).__name__} {shown(given)}"
        raise InputError(f"files: expected paths (str or pathlib.Path) or lists of paths, found {found}")
    return names


def check_flag(name: str, value: object) -> bool:
    """Return a bool of Python or numpy as a bool. Raise `ParameterError` for any other value, numbers included."""
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):
        raise ParameterError(f"{name}: expected True or False, found {shown(value)}")
    return bool(value)


def check_name(option: str, value: object) -> str | None:
    """Return the name of a column, or None if none is named. Raise `ParameterError` if it is not a str."""
    if value is None:
        return None
    if not isinstance(value, str):
        what = "one name, as a str" if isinstance(value, (list, tuple)) else "the name of a column, a str"
        many = isinstance(value, (list, tuple)) and len(value) == 1
        hint = f"; pass {shown(value[0])}" if many and isinstance(value, (list, tuple)) else ""
        if _integer(value) is not None:
            hint = "; give the columns names, as frame.rename(columns=str) does"
        raise ParameterError(f"{option}: expected {what}, found {type(value).__name__} {shown(value)}{hint}")
    return str(value)


def check_min_documents(min_documents: object) -> int | None:
    """Return a `min_documents`, or None if the policy decides. Raise `ParameterError` if it is invalid."""
    return None if min_documents is None else check_whole("min_documents", min_documents, 1, also=", or None")


def check_labels(option: str, value: object) -> Any:
    """Return a `within` or `across` option: the name of a column, some labels as they are, or None.

    Raises `ParameterError` for anything that cannot be one label per text in an order.
    """
    if value is None or isinstance(value, str):
        return value
    ordered = isinstance(value, Sequence) or hasattr(value, "__array__") or hasattr(value, "__arrow_c_array__")
    streamed = hasattr(value, "__arrow_c_stream__")
    if isinstance(value, (bytes, bytearray, memoryview)) or not (ordered or streamed):
        raise ParameterError(
            f"{option}: expected the name of a column, or a list of one label per text, found {type(value).__name__} "
            f"{shown(value)}"
        )
    return value


def check_progress(progress: Any) -> ProgressOption:
    """Return a `progress` option: True, False, a function, or None. Raise `ParameterError` for any other value."""
    if progress is None or callable(progress):
        return progress  # type: ignore[no-any-return]
    if isinstance(progress, bool) or type(progress).__name__ in ("bool", "bool_"):
        return bool(progress)
    raise ParameterError(f"progress: expected a bool, a callable(stage, done, total) or None, found {shown(progress)}")


def check_keep(keep: Any) -> Any:
    """Return a `keep` option: a known word, max:COLUMN, min:COLUMN, or a function that takes an id and a text.

    Raise `ParameterError` for any other value.
    """
    if isinstance(keep, str):
        keep = str(keep)
        if keep in KEEP or column_of(keep) is not None:
            return keep
    elif callable(keep):
        try:
            inspect.signature(keep).bind(None, "")
        except ValueError:  # some functions written in C have no signature
            pass
        except TypeError as error:
            name = getattr(keep, "__name__", type(keep).__name__)
            raise ParameterError(f"keep: expected callable(id, text), found {name}, but {error}") from None
        return keep
    raise ParameterError(
        f"keep: expected one of {', '.join(map(repr, KEEP))}, 'max:COLUMN', 'min:COLUMN' or callable(id, text), "
        f"found {shown(keep)}"
    )


def column_of(keep: Keep) -> str | None:
    """Return the column that a `keep` option names ("max:score"), None for the other policies.

    >>> column_of("max:score"), column_of("first")
    ('score', None)
    """
    named = isinstance(keep, str) and keep.startswith(BY_COLUMN) and len(keep) > len(BY_COLUMN[0])
    return keep[len(BY_COLUMN[0]) :] if named and isinstance(keep, str) else None


def check_array(name: str, value: Any, dtype: str, dimensions: int | None, *, wanted: str = "") -> Any:
    """Return a numpy array. Raise `ParameterError` unless it has the `dtype` and so many `dimensions` (None: any).

    `wanted` replaces the description of the array in the message.
    """
    if not wanted:
        wanted = f"an array of {dtype}" + (f" with {dimensions} dimensions" if dimensions else "")
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise ParameterError(f"{name}: expected {wanted}, found {type(value).__name__} {shown(value)}")
    if str(value.dtype) != dtype or dimensions not in (None, value.ndim):
        raise ParameterError(f"{name}: expected {wanted}, found shape {value.shape} of {value.dtype}")
    return value
