"""The compiled loops of dedup. They use numba and numpy only; each module is about one noun.

The rules of a kernel (each is tested, or follows from how `kernel` compiles):

- A kernel computes; its caller checks the arguments. A kernel raises nothing and allocates only what it returns.
- A kernel is serial and releases the GIL. Only `dedup.runtime.threads` makes threads.
- All arithmetic on hashes is uint64. numba turns ``uint64 + int`` into a signed or floating value, so every literal
  and every index that is combined with a hash is wrapped.
- In hot loops an index is uint64 too: for a signed index, numba tests at each access whether it counts from the end.
- A random bit is added, or decides what is overwritten. No branch depends on it.
- Inputs may be read-only (Arrow buffers are). The annotations of a `kernel` are its signature: dtypes, `Table` for two
  dimensions, `Written` for an array that it writes to (`dedup.kernels.signatures`). Arrays are contiguous, in C order.

A kernel runs from the library that was compiled ahead of time, if there is one for this machine
(`dedup.kernels.native`); numba is then not imported. Otherwise numba compiles it on its first call
(`dedup.kernels.compiling`) and keeps it on disk (`dedup.kernels.cache`). Both ways give the same bytes.
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
"""An array of two dimensions. An array that is annotated without this has one dimension."""

Written = Annotated[A, "written"]
"""An array that the kernel writes to. Any other array may be read-only."""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` compiled, from the library or by numba. It is serial and runs without the GIL.

    The annotations are its signature. Arguments that do not fit it raise a TypeError that says what was expected.
    """
    found = native.find(function)
    return compiler().kernel(function) if found is None else found


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for other compiled code only; LLVM inlines it into each caller.

    numba's own inlining would type and lower it again for every call: a fifth of a kernel's compile time in the very
    first run. Python must not call it: it has no wrapper, and the process would crash. Pass literals as
    ``np.int64(0)``; otherwise it is compiled for each type.
    """
    return function if native.COMPLETE else compiler().part(function)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` as a `part`, but let LLVM decide whether to inline it: for long functions."""
    return function if native.COMPLETE else compiler().shared(function)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Register a function that writes LLVM's instructions itself, for use in other compiled code."""
    if native.COMPLETE:
        return function
    compiler()
    from numba.extending import intrinsic as numba_intrinsic

    return numba_intrinsic(function)


def compiler() -> Any:
    """Return the module that compiles with numba. Without numba, raise an error that says what to install."""
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
