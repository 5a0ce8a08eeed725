"""The kernels that were compiled ahead of time: which library, and for which processor level.

``library.abi3.so`` in this folder has every kernel, once for each processor level that it was built for. Here the best
level that this machine can run is chosen; numba is neither imported nor needed. The variable ``DEDUP_KERNELS``
overrides that choice: it is the name of a level, or ``jit`` for numba.

numba compiles the kernels if there is no library, or if the library was built from other sources than those in the
package (after an edit). `REASON` says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from dedup.errors import ParameterError
from dedup.kernels.digest import LIBRARY, source_digest

__all__ = ["COMPLETE", "KERNELS_VARIABLE", "LEVEL", "REASON", "find"]

P = ParamSpec("P")
R = TypeVar("R")

KERNELS_VARIABLE = "DEDUP_KERNELS"
JIT = "jit"


def _choose(wanted: str) -> tuple[Any, str, str]:
    """Return the library and the level, or why there is none; raise an error if the wanted level is missing."""
    if wanted == JIT:
        return None, "", f"{KERNELS_VARIABLE}={JIT}"
    try:
        library: Any = import_module("dedup.kernels.native.library")
    except ImportError as error:
        found: list[str] = []
        missing = isinstance(error, ModuleNotFoundError)
        reason = "this installation has no compiled kernels" if missing else f"its kernels cannot be loaded: {error}"
    else:
        found = [level for level, able in library.LEVELS if able]
        reason = "the compiled kernels are for other processors"
        digest, stamp = source_digest(*LIBRARY), getattr(library, "STAMP", "")
        if digest not in {"", stamp.partition(" ")[0]}:  # the sources were edited; a one-file program has no sources
            found, reason = [], "the compiled kernels are older than their sources"
    if wanted and wanted not in found:
        raise ParameterError(
            f"expected {KERNELS_VARIABLE} to be {JIT} or a processor level that can run here "
            f"({', '.join(found) or f'none: {reason}'}), found {wanted!r}"
        )
    if not found:
        return None, "", reason
    return library, wanted or found[-1], ""


_LIBRARY, LEVEL, REASON = _choose(os.environ.get(KERNELS_VARIABLE, ""))
"""The library; the processor level in use, "" if numba compiles; and the reason in that case."""

COMPLETE = bool(LEVEL)
"""Whether the kernels come from the library. It then has all of them, since it was built from the same sources."""


def find(function: Callable[P, R]) -> Callable[P, R] | None:
    """Return the compiled kernel of a function; None if numba has to compile it."""
    if not COMPLETE:
        return None
    module = function.__module__.rpartition(".")[2]
    found: Callable[P, R] | None = _LIBRARY.find(f"{module}.{function.__name__}", LEVEL)
    assert found is not None, function
    return found
