"""The compiled loops of dedup: numba and numpy only, one noun a file.

The rules they keep (each is tested or follows from how `kernel` compiles):

- A kernel computes; its caller validates. Kernels raise nothing and allocate only what they return.
- Kernels are serial and release the GIL; threads live in `dedup.blocks` alone.
- All hash arithmetic is uint64: numba turns ``uint64 + int`` into a signed or floating value, so every literal
  and index that touches a hash is wrapped.
- Where it is hot, an index is uint64 too: numba asks of a signed one, at each access, whether it counts from the end.
  What a random bit decides is added or overwritten, not branched on.
- Inputs may be read-only (Arrow buffers are); a kernel that writes says so in its docstring.

Kernels are cached on disk. numba's own cache does not notice an edit in another file that a kernel calls, which
for a hash library could keep old hashes alive after an upgrade; so the cache folder is named by the digest of
all kernel sources, and an edit of any of them starts a new folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.runtime import rtsys

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


class KernelCache(FunctionCache):  # type: ignore[misc]  # numba has no types
    """numba's cache of compiled code, less what is needed only to compile.

    Before it loads a kernel, numba imports and registers all that it can compile: a third of a second in a process
    that has nothing to compile. The code itself needs only numba's memory runtime; where a kernel is missing, the
    compiler registers the rest by itself.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature, None where it is not in the cache."""
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on its first call: serial, without the GIL, cached on disk where a folder can be written."""
    compiled = numba.njit(**OPTIONS)(function)
    folder = cache_folder()
    if folder is not None:
        before = config.CACHE_DIR
        config.CACHE_DIR = folder  # read once, when the cache is made
        try:
            compiled._cache = KernelCache(function)  # noqa: SLF001  # as njit(cache=True) does
        finally:
            config.CACHE_DIR = before
    return compiled


@lru_cache(maxsize=1)
def cache_folder() -> str | None:
    """Return the folder of compiled kernels, named by the digest of their sources; None where nothing is writable.

    Tried in this order: ``NUMBA_CACHE_DIR``, the package's own ``__pycache__``, the user's cache, a private folder
    among the temporary files.
    """
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(here.glob("*.py")):
        digest.update(source.read_bytes())
    name = f"dedup-{digest.hexdigest()[:16]}"
    given = os.environ.get("NUMBA_CACHE_DIR")
    user = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    private = os.path.join(tempfile.gettempdir(), f"dedup-kernels-{owner}")
    for parent in [given] if given else [str(here / "__pycache__"), os.path.join(user, "dedup"), private]:
        if _writable(os.path.join(parent, name), private=parent == private):
            return os.path.join(parent, name)
    return None


def _writable(folder: str, *, private: bool) -> bool:
    """Make `folder` and try it; a private one in a shared place must be ours alone, or its code is not run."""
    try:
        if private:
            parent = os.path.dirname(folder)
            os.makedirs(parent, mode=0o700, exist_ok=True)
            found = os.stat(parent)
            if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
                return False
        os.makedirs(folder, mode=0o700 if private else 0o777, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
