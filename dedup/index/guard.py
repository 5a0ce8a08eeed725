"""What guards the writer of an open index, so that one thread at a time uses it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from dedup.errors import DedupError, StorageError
from dedup.index.writer import Writer

__all__ = ["Guarded"]


class Guarded:
    """While it is entered, no other thread uses the writer. A reader needs no guard: its views do not change."""

    def __init__(self, writer: Writer | None, guard: AbstractContextManager[bool], *, changing: bool) -> None:
        self._writer, self._guard, self._changing = writer, guard, changing

    def __enter__(self) -> Writer:
        if self._writer is not None:
            self._guard.__enter__()
            if self._writer.interrupted:
                self._guard.__exit__(None, None, None)
                raise StorageError(
                    f"expected the index in {self._writer.folder} whole, found that a change of it was interrupted; "
                    "open it again: it is as it was at the last commit"
                )
        return self._writer  # type: ignore[return-value]  # methods that use it have checked that there is one

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            if self._changing and kind is not None and not issubclass(kind, DedupError):
                self._writer.interrupted = True
            self._guard.__exit__(kind, error, trace)
