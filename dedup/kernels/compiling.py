"""Kernels that numba compiles on their first call, if the library has none for this machine.

Each is compiled for its own signature (`dedup.kernels.signatures`), whether its arguments are read-only or not. So a
kernel is compiled once, or once for each width of its ``np.signedinteger``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
from numba import types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

from dedup.kernels.cache import KernelCache, cache_folders
from dedup.kernels.signatures import KERNELS, Parameter, parameters
from dedup.kernels.warming import missing

__all__ = ["OPTIONS", "kernel", "part", "shared", "types_of"]

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
"""numba's passes for closures, comprehensions, optional arguments, inlining by numba and arithmetic of complete
arrays.

The kernels have none of these, and each pass walks through the complete function: a twentieth of the very first run."""


class Compiler(CompilerBase):  # type: ignore[misc]  # numba has no types
    """numba's compiler without the passes that change nothing here."""

    def define_pipelines(self) -> list[Any]:
        """Return the only pipeline of passes."""
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

KEPT = True
"""Whether compiled kernels are kept on disk. False while the library is built."""

ALLOCATING = frozenset(("empty", "zeros", "copy", "sort"))
"""Names of numpy that a function which makes arrays has."""

DTYPES = {
    "B": types.uint8,
    "H": types.uint16,
    "I": types.uint32,
    "Q": types.uint64,
    "i": types.int32,
    "q": types.int64,
    "?": types.boolean,
    "d": types.float64,
}


def options_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return numba's options for a function.

    Where it makes and returns no array, it counts no references to those that it gets: its caller holds them. numba
    counts them at each assignment, and in a loop with several arrays that took longer than the work: 120 of 125 ns for
    16 characters of Chinese.
    """
    names = {*function.__code__.co_names}
    makes = bool(names & ALLOCATING) or "NDArray" in str(function.__annotations__.get("return", ""))
    return {**OPTIONS, "_nrt": makes}  # said in either case: numba would take it from the function that calls this one


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for other compiled code, into each caller (`dedup.kernels.part`)."""
    return numba.njit(**options_of(function), forceinline=True, no_cpython_wrapper=True)(function)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for other compiled code (`dedup.kernels.shared`)."""
    return numba.njit(**options_of(function), no_cpython_wrapper=True)(function)


class Entry(CPUDispatcher):  # type: ignore[misc]
    """The callable of a kernel for Python: compiled for one signature, on the first call."""

    signed = "q"

    def _compile_for_args(self, *arguments: Any, **named: Any) -> Any:  # noqa: ARG002  # numba's interface
        """Compile the kernel, whatever the first arguments are. Return this object, which then checks the arguments."""
        self.prepare()
        return self

    def prepare(self) -> None:
        """Compile the kernel or load it from disk. If it is not there, announce that and let other processes help."""
        wanted = types_of(self.py_func, self.signed)
        with global_compiler_lock:  # other threads wait here
            if self.overloads:
                return
            if not (isinstance(self._cache, KernelCache) and self._cache.is_kept(wanted, self.targetctx)):
                missing()
            self.compile(wanted)
            self.disable_compile()


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A kernel. Compiled code calls it like any function of numba's; Python calls one of its `entries`."""

    entries: dict[str, Entry]
    signed_at: int | None

    def __call__(self, *arguments: Any) -> Any:
        """Call the entry for the width of the ``np.signedinteger`` argument, if there are two."""
        if self.signed_at is None:
            return self.entries["q"](*arguments)
        given = arguments[self.signed_at] if len(arguments) > self.signed_at else None
        return self.entries["i" if getattr(given, "dtype", None) == "int32" else "q"](*arguments)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on its first call for its own signature; kept on disk if there is a folder for it."""
    KERNELS.append(function)
    letters = [parameter.letter for parameter in parameters(function)]
    made = _dispatcher(function, Kernel)
    made.signed_at = letters.index("s") if "s" in letters else None
    made.entries = {}
    for signed in "q" if made.signed_at is None else "qi":
        made.entries[signed] = _dispatcher(function, Entry)
        made.entries[signed].signed = signed
    result: Callable[P, R] = made
    return result


def _dispatcher(function: Callable[..., Any], kind: type[Any]) -> Any:
    """Return numba's object for a function, kept on disk."""
    made = numba.njit(**options_of(function))(function)
    made.__class__ = kind
    folders = cache_folders() if KEPT else ()
    if folders:
        made._cache = KernelCache(function, folders)  # noqa: SLF001  # as njit(cache=True) does
    return made


def types_of(function: Callable[..., Any], signed: str = "q") -> tuple[Any, ...]:
    """Return numba's types of a kernel's parameters; `signed` is the letter that replaces ``np.signedinteger``."""
    return tuple(_type_of(parameter, signed) for parameter in parameters(function))


def _type_of(parameter: Parameter, signed: str) -> Any:
    if parameter.parts:
        return types.Tuple([_type_of(each, signed) for each in parameter.parts])
    dtype = DTYPES[signed if parameter.letter == "s" else parameter.letter]
    if parameter.dimensions == 0:
        return dtype
    return types.Array(dtype, parameter.dimensions, "C", readonly=not parameter.written)
