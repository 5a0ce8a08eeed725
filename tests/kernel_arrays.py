"""Arrays as the kernels get them: nothing may write to them, as Arrow allows none to write to its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from dedup.hashing.units import Units
from dedup.kernels import native, warming
from dedup.kernels.text_layout import PADDING

P = ParamSpec("P")
R = TypeVar("R")


def frozen(values: Iterable[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Give a read-only array."""
    array = np.array(list(values), dtype=dtype)
    array.flags.writeable = False
    return array


def offsets_of(rows: Sequence[Sequence[Any]]) -> npt.NDArray[np.int64]:
    """Give the offsets of rows that follow each other; read-only."""
    return frozen(np.cumsum([0, *map(len, rows)]).tolist(), np.int64)


def packed(rows: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Give rows of hashes that follow each other, and their offsets; read-only."""
    return frozen((h for row in rows for h in row), np.uint64), offsets_of(rows)


def rows_of(values: npt.NDArray[Any], offsets: npt.NDArray[np.int64]) -> list[list[Any]]:
    """Give packed rows as lists."""
    return [values[a:b].tolist() for a, b in pairwise(offsets)]


def dtypes(*arrays: npt.NDArray[Any]) -> str:
    """Give the names of the dtypes of some arrays."""
    return " ".join(str(array.dtype) for array in arrays)


def utf8(
    texts: Sequence[str], before: bytes = b""
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give texts as a block: bytes, starts and ends. After the last one come letters that belong to none."""
    data = [text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = np.cumsum([len(before), *map(len, data)])
    whole = before + b"".join(data) + b"x" * PADDING
    return frozen(whole, np.uint8), frozen(offsets[:-1], np.int64), frozen(offsets[1:], np.int64)


def units_of(rows: Sequence[Sequence[int]]) -> Units:
    """Give units whose shingle hashes are these, in any order, repeated or not."""
    count = len(rows)
    return Units(
        places=np.arange(count, dtype=np.int64)[:, np.newaxis],
        hashes=np.array([h for row in rows for h in row], dtype=np.uint64),
        offsets=offsets_of(rows),
        digests=np.zeros((count, 2), dtype=np.uint64),
        sizes=np.full(count, -1, dtype=np.int64),
        filled=np.array([len(row) > 0 for row in rows], dtype=np.bool_),
    )


def compiled_part(part: Callable[P, R]) -> Any:
    """Give a part of a kernel as numba compiles it, also where the kernels come from the library."""
    if not native.COMPLETE:
        return part
    return getattr(_compiled_modules()[part.__module__], part.__name__)


@lru_cache(maxsize=1)
def _compiled_modules() -> dict[str, Any]:
    """Import all kernels a second time, for numba; all other code uses the first ones."""
    warming.all_kernels()  # each is loaded, so none of the second ones remains
    first = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("dedup.kernels")}
    before = os.environ.get(native.KERNELS_VARIABLE)
    os.environ[native.KERNELS_VARIABLE] = native.JIT
    try:
        import_module("dedup.kernels.warming").all_kernels()
        return {name: module for name, module in sys.modules.items() if name.startswith("dedup.kernels")}
    finally:
        sys.modules.update(first)
        sys.modules["dedup"].kernels = first["dedup.kernels"]  # type: ignore[attr-defined]
        os.environ.pop(native.KERNELS_VARIABLE) if before is None else os.environ.update(
            {native.KERNELS_VARIABLE: before}
        )


def callable_part(given_part: Callable[P, R]) -> Callable[P, R]:
    """Make a part of a kernel, which only compiled code may call, callable from Python."""
    part = compiled_part(given_part)

    def call(*given: Any) -> R:
        return part(*given)  # type: ignore[no-any-return]  # numba knows

    return cast(Callable[P, R], numba.njit(call))
