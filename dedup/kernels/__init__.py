"""The compiled loops of dedup: numba and numpy only, one noun a file.

The rules they keep (each is tested or follows from how `kernel` compiles):

- A kernel computes; its caller validates. Kernels raise nothing and allocate only what they return.
- Kernels are serial and release the GIL; threads live in `dedup.runtime.threads` alone.
- All hash arithmetic is uint64: numba turns ``uint64 + int`` into a signed or floating value, so every literal
  and index that touches a hash is wrapped.
- Where it is hot, an index is uint64 too: numba asks of a signed one, at each access, whether it counts from the end.
  What a random bit decides is added or overwritten, not branched on.
- Inputs may be read-only (Arrow buffers are); a kernel that writes says so in its docstring.

Kernels are cached on disk (`dedup.kernels.cache`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core.compiler import CompilerBase, DefaultPassBuilder

from dedup.kernels.cache import KernelCache, cache_folder, cache_folders

__all__ = ["cache_folder", "kernel", "part", "shared"]

P = ParamSpec("P")
R = TypeVar("R")


NEEDLESS_PASSES = frozenset(
    (
        "inline_closure_likes",
        "rewrite_semantic_constants",
        "dead_branch_prune",
        "inline_inlinables",
        "inline_overloads",
        "nopython_rewrites",
    )
)
"""numba's passes over closures, comprehensions, optional arguments, its own inlining and arithmetic of whole arrays.

None of these is in the kernels, and each walks through the whole of a function: a twentieth of the very first run.
"""


class Compiler(CompilerBase):  # type: ignore[misc]  # numba has no types
    """numba's compiler without the passes that have nothing to do here."""

    def define_pipelines(self) -> list[Any]:
        """Return the one row of passes."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(step, name) for step, name in passes.passes if step.name() not in NEEDLESS_PASSES]
        passes.finalize()
        return [passes]


OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "pipeline_class": Compiler,
}


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` once, for other compiled code only; LLVM puts it into each caller.

    numba's own inlining would type and lower it again in every place where it is called: a fifth of a kernel's time in
    the very first run. Python must not call it: there is no wrapper, and the process ends. Pass literals as
    ``np.int64(0)``, or it is compiled for each type.
    """
    return numba.njit(**OPTIONS, forceinline=True, no_cpython_wrapper=True)(function)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` as a `part`, but leave it to LLVM whether it is put into its callers: for long ones."""
    return numba.njit(**OPTIONS, no_cpython_wrapper=True)(function)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on its first call: serial, without the GIL, cached on disk where there is a folder for it."""
    compiled = numba.njit(**OPTIONS)(function)
    folders = cache_folders()
    if folders:
        compiled._cache = KernelCache(function, folders)  # noqa: SLF001  # as njit(cache=True) does
    return compiled
