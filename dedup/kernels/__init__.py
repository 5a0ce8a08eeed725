"""The compiled loops of dedup: numba and numpy only, one noun a file.

The rules they keep (each is tested or follows from how `kernel` compiles):

- A kernel computes; its caller validates. Kernels raise nothing and allocate only what they return.
- Kernels are serial and release the GIL; threads live in `dedup.runtime.threads` alone.
- All hash arithmetic is uint64: numba turns ``uint64 + int`` into a signed or floating value, so every literal
  and index that touches a hash is wrapped.
- Where it is hot, an index is uint64 too: numba asks of a signed one, at each access, whether it counts from the end.
  What a random bit decides is added or overwritten, not branched on.
- Inputs may be read-only (Arrow buffers are). The annotations of a `kernel` are its signature: dtypes, `Table` for two
  dimensions, `Written` for what it writes to (`dedup.kernels.signatures`). Arrays are contiguous, in C's order.

A kernel runs from the library that was compiled ahead of time, where there is one for this machine
(`dedup.kernels.native`), and numba is not even imported. Else numba compiles it on its first call
(`dedup.kernels.compiling`), and keeps it on disk (`dedup.kernels.cache`). Both ways give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.errors import DedupError
from dedup.kernels import native

__all__ = ["Table", "Written", "compiler", "intrinsic", "kernel", "part", "shared"]

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
T = TypeVar("T", bound=np.generic)

Table = Annotated[npt.NDArray[T], "table"]
"""An array of two dimensions. In annotations of kernels, an array without this has one."""

Written = Annotated[A, "written"]
"""An array that the kernel writes to; any other one may be read-only."""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Give what runs `function` compiled: serial, without the GIL, from the library or by numba.

    The annotations are its signature. What does not fit it is a TypeError that says what was expected.
    """
    found = native.find(function)
    return compiler().kernel(function) if found is None else found


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for other compiled code only; LLVM puts it into each caller.

    numba's own inlining would type and lower it again in every place where it is called: a fifth of a kernel's time in
    the very first run. Python must not call it: there is no wrapper, and the process ends. Pass literals as
    ``np.int64(0)``, or it is compiled for each type.
    """
    return function if native.COMPLETE else compiler().part(function)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` as a `part`, but leave it to LLVM whether it is put into its callers: for long ones."""
    return function if native.COMPLETE else compiler().shared(function)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Give numba a function that writes LLVM's instructions itself, for other compiled code."""
    if native.COMPLETE:
        return function
    compiler()
    from numba.extending import intrinsic as numba_intrinsic

    return numba_intrinsic(function)


def compiler() -> Any:
    """Return the module that compiles by numba; an error says what to install where there is none."""
    try:
        from dedup.kernels import compiling
    except ModuleNotFoundError as error:
        if error.name not in {"numba", "llvmlite"}:
            raise
        raise DedupError(
            f"expected compiled kernels, or numba to compile them, found neither ({native.REASON}); "
            "install numba: pip install 'dedup-text[jit]'"
        ) from None
    return compiling
