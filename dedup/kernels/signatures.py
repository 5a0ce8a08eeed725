"""Signatures of kernels: what their annotations say, for numba, and in words for errors.

A parameter is an array (``npt.NDArray[dtype]``, `Table` if it has two dimensions, `Written` if the kernel writes to
it), a tuple of arrays, or a scalar: ``int`` (int64), ``np.uint64``, ``float`` (float64), ``bool``.
``np.signedinteger`` is int32 or int64, the same for all parameters with that annotation: such a kernel is compiled for
both.

The library keeps and reads a signature spelled with one word per parameter (`dedup.kernels.native`)::

    values:Q1 offsets:q1 keys:Q2w state:q limit:Q threshold:d whole:? result:(i1w,i1w,i1w)

A letter is the dtype as in `struct` (``s`` for int32 or int64), a digit is the number of dimensions, and ``w`` marks an
array that is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np

__all__ = ["KERNELS", "Parameter", "name_of", "parameters", "spelled"]

KERNELS: list[Callable[..., Any]] = []
"""The functions of all kernels that numba compiles, in the order in which their modules were imported."""


LETTERS = {
    np.uint8: "B",
    np.uint16: "H",
    np.uint32: "I",
    np.uint64: "Q",
    np.int32: "i",
    np.int64: "q",
    np.bool_: "?",
    np.float64: "d",
    np.signedinteger: "s",
}
SCALARS = {int: "q", np.uint64: "Q", np.int64: "q", float: "d", bool: "?"}


class Parameter(NamedTuple):
    """One parameter: its letter, its dimensions (0 for a scalar), and its parts if it is a tuple of arrays."""

    name: str
    letter: str
    dimensions: int
    written: bool
    parts: tuple[Parameter, ...] = ()

    def spelled(self) -> str:
        """Return the parameter as a word."""
        return f"{self.name}:{self._kind()}"

    def _kind(self) -> str:
        if self.parts:
            return f"({','.join(part._kind() for part in self.parts)})"  # noqa: SLF001  # its own kind
        return f"{self.letter}{self.dimensions or ''}{'w' if self.written else ''}"


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a kernel: its module and its own name."""
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


def parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a kernel, in their order, from its annotations."""
    hints = get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    return tuple(_parameter(name, hint) for name, hint in hints.items())


def spelled(function: Callable[..., Any]) -> str:
    """Return the signature of a kernel, one word per parameter."""
    return " ".join(parameter.spelled() for parameter in parameters(function))


def _parameter(name: str, hint: Any, marks: tuple[str, ...] = ()) -> Parameter:
    if get_origin(hint) is Annotated:
        return _parameter(name, hint.__origin__, (*marks, *hint.__metadata__))
    if hint in SCALARS:
        return Parameter(name, SCALARS[hint], 0, written=False)
    if get_origin(hint) is tuple:
        parts = tuple(_parameter(name, part, marks) for part in get_args(hint))
        return Parameter(name, "", 0, written=False, parts=parts)
    dtype = get_args(get_args(hint)[1])[0]  # of np.ndarray[shape, np.dtype[dtype]]
    return Parameter(name, LETTERS[dtype], 2 if "table" in marks else 1, "written" in marks)
