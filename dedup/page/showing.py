"""What every result can do with its view: write the page, and show itself in a notebook.

The modules of the page are loaded when a page is asked for: a search without one does not wait for them.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import TYPE_CHECKING

from dedup.errors import ParameterError
from dedup.options import check_flag, check_path, check_positive, check_whole

if TYPE_CHECKING:
    from dedup.page.view import View

__all__ = ["Shown"]


class Shown:
    """A result that can be shown on a page."""

    @abstractmethod
    def _view(self) -> View:
        """Return what the page shows."""

    def to_html(
        self, path: str | os.PathLike[str], *, clusters: int = 2000, megabytes: float = 25, texts: bool = True
    ) -> None:
        """Write the result as one page for a browser: a file that needs no other file and no network.

        Parameters
        ----------
        path : the file; it is written completely or not at all, and an earlier one is replaced
        clusters : from 1 on; at most so many groups (clusters, matched texts, texts with repeats) are in the page: the
            largest, those nearest to the threshold, and a fixed sample of the others
        megabytes : more than 0; the size of the file, at most; texts that do not fit are left out
        texts : whether texts are in the page at all, beyond the start of one per group

        The page says what it leaves out. Texts are data there: none of their characters is taken for markup or script.
        Raises `ParameterError` if an option has an invalid value or there is no such folder, `InputError` if texts in
        files cannot be read again, `StorageError` if the file cannot be written. Cost: about 0.2 ms per pair of texts
        of 2 kB; memory: the page.
        """
        from dedup.page.document import document
        from dedup.storage.atomic import write_atomically

        path = check_path("path", path)
        clusters, texts = check_whole("clusters", clusters, 1), check_flag("texts", texts)
        megabytes = check_positive("megabytes", megabytes)
        if os.path.isdir(path):
            raise ParameterError(f"path: expected the name of a file, found the folder {path}; name a file in it")
        if not os.path.isdir(folder := os.path.dirname(path) or "."):
            raise ParameterError(f"path: expected a folder that exists, found no {folder}; make it first")
        view = self._view()
        parts = document(view, clusters=clusters, megabytes=megabytes, texts=texts)
        write_atomically(path, lambda file: [file.write(part.encode()) for part in parts])  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        """Return a static table for notebooks, of at most 100 kB, without script."""
        from dedup.page.table import static_table

        return static_table(self._view())
