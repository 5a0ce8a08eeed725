"""The run of a search: its progress and its threads, and, over files, the steps from which it resumes.

A step that was committed to the work directory is not made again: a run that was stopped resumes after the last of
them. Without a work directory a step is simply made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.runtime.buffers import give_back
from dedup.runtime.progress import Progress
from dedup.storage.work_dir import Store

__all__ = ["Run"]

Made = TypeVar("Made")
Packed = tuple[dict[str, npt.NDArray[Any]], Any]


class Run:
    """A running search. Its progress is reported to `stages`; `store` is its work directory, if it has one.

    With `frugal` the memory that a step freed is returned to the system before the next step begins.
    """

    def __init__(self, stages: Progress, threads: int, *, frugal: bool = False) -> None:
        self.stages, self.threads, self.frugal = stages, threads, frugal
        self.store: Store | None = None

    def step(
        self,
        name: str,
        make: Callable[[], Made],
        pack: Callable[[Made], Packed],
        unpack: Callable[[dict[str, npt.NDArray[Any]], Any], Made],
    ) -> Made:
        """Return what `make` makes, or made in an earlier run.

        `pack` gives it as arrays and as facts (JSON), to be committed under `name`; `unpack` makes it of them again.
        """
        if self.store is not None and name in self.store:
            return unpack(self.store.arrays(name), self.store.parts[name].facts)
        made = make()
        if self.frugal:
            give_back()
        if self.store is not None:
            self.store.commit(name, *pack(made))
        return made

    def done(self, name: str) -> bool:
        """Return whether a step without a result was made in an earlier run."""
        return self.store is not None and name in self.store

    def commit(self, name: str) -> None:
        """Note that a step without a result is made."""
        if self.store is not None:
            self.store.commit(name, b"")


def pack_rows(rows: npt.NDArray[np.bool_]) -> Packed:
    """Return a bool a unit as bits."""
    return {"rows": np.packbits(rows)}, len(rows)


def unpack_rows(arrays: dict[str, npt.NDArray[Any]], count: int) -> npt.NDArray[np.bool_]:
    """Return bits as a bool a unit."""
    return np.unpackbits(arrays["rows"], count=count).astype(np.bool_)
