"""The half of `dedup.Index` that asks: queries, numbers, and the newest generation for a reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dedup.errors import ParameterError, StorageError
from dedup.index import check as checking
from dedup.index import passages as passage_search
from dedup.index import query as queries
from dedup.index.guard import Guarded
from dedup.index.memory import Bound
from dedup.index.opening import fits, one_text, open_view, state_of, workers_for
from dedup.index.view import View
from dedup.index.writer import Writer
from dedup.options import (
    check_min_words,
    check_path,
    check_progress,
    check_threads,
    check_threshold,
    check_whole,
    check_word,
)
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import lock
from dedup.sources.coerce import Texts, read_texts
from dedup.storage.atomic import storage_errors
from dedup.threshold import Metric

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["IndexStats", "OpenIndex"]

METRICS = (str(Metric.JACCARD), str(Metric.CONTAINMENT))
"""An index knows sets of shingles only."""

PAIR_ORDERS = ("best", "first")


@dataclass(frozen=True)
class IndexStats:
    """The numbers of an index.

    Attributes
    ----------
    documents : in the index; `empty` of them have no token and match nothing
    removed : documents that were removed, and are still on disk until `compact`
    segments : how many, and `in_memory` documents that are in none yet
    shingles : of all sets on disk
    bytes : on disk
    generation : how often it was committed
    """

    documents: int
    empty: int
    removed: int
    segments: int
    in_memory: int
    shingles: int
    bytes: int
    generation: int

    def to_dict(self) -> dict[str, int]:
        """Return the fields as a dict."""
        return asdict(self)


class OpenIndex:
    """An index that is open: what `dedup.Index` can be asked."""

    def __init__(self, folder: Path, view: View, writer: Writer | None, state: object, bound: Bound) -> None:
        """Use `dedup.Index.create` or `dedup.Index.open`."""
        self._bound = bound
        self._folder = folder
        self._view: View | None = view
        self._writer = writer
        self._state = state
        self._guard = lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._close(commit=kind is None, progress=None)

    def __len__(self) -> int:
        """Return the number of documents."""
        return self._open().manifest.live

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        if self._view is None and self._writer is None:
            return f"Index({str(self._folder)!r}, closed)"
        known = self._open().settings
        kind = ", containment" if known.containment else ""
        mode = "for writing" if self._writer is not None else "for reading"
        return (
            f"Index({str(self._folder)!r}, {len(self):,} documents, {known.shingle}, threshold {known.threshold:g}"
            f"{kind}, open {mode})"
        )

    # asking

    def query(
        self,
        texts: Any,
        *,
        threshold: float | None = None,
        metric: str = "jaccard",
        limit: int | None = None,
        order: str = "best",
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> queries.IndexMatches:
        """Find the documents with which each text reaches the threshold.

        The pairs are those of ``dedup.match(texts, against=documents, min_words=None)``, in the order in which the
        documents were added.

        Parameters
        ----------
        texts : a collection in any form that `dedup.find_duplicates` takes, files too
        threshold : from the index's on; by default the index's
        metric : "jaccard", or, if the index was made for it, "containment" (shared / the smaller set)
        limit : from 1 on; at most so many documents for each text. None: all
        order : which ones, with a `limit`: "best" (the most similar; ties: the first), or "first"
        ids, column, id, threads, progress : as for `dedup.find_duplicates`

        Returns
        -------
        Matches, with ``pairs``, ``matched``, ``filter``, ``summary``

        Raises
        ------
        ParameterError : an option has an invalid value, or the index was not made for it
        InputError : texts, ids or columns cannot be used
        StorageError : a document that is needed is damaged
        """
        view = self._open()
        by = Metric(check_word("metric", metric, METRICS))
        reached = self._threshold(threshold)
        if by is Metric.CONTAINMENT and not view.settings.containment:
            raise ParameterError(
                "metric: expected an index made with containment=True (dedup index create --containment) for "
                f"containment, found {self._folder} made without; make another one"
            )
        order = check_word("order", order, PAIR_ORDERS)
        most = None if limit is None else check_whole("limit", limit, 1, also=", or None")
        threads, progress = check_threads(threads), check_progress(progress)
        collection = read_texts(texts, ids=ids, column=column, id=id, several=False)
        collection.bound(self._bound.memory)
        with self._asking(), Progress(progress) as stages:
            return queries.query(
                self._open(),
                collection,
                threshold=reached,
                metric=by,
                limit=most,
                first=order == "first",
                threads=workers_for(collection, threads),
                bound=self._bound,
                stages=stages,
            )

    def passages(
        self,
        texts: Any,
        *,
        min_words: int | None = None,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> pa.Table:
        """Find the passages that texts have word for word from documents, if the index was made with `passages`.

        The table is ``dedup.match(texts, documents, min_words=min_words, passage_threshold=1.0).passages``: each
        passage with its first place in the documents, in the order in which these were added.

        Parameters
        ----------
        texts : a collection in any form that `dedup.find_duplicates` takes, files too
        min_words : from the index's `passages` on; by default that
        ids, column, id, threads, progress : as for `dedup.find_duplicates`

        Raises `ParameterError` if an option has an invalid value, or the index was made without `passages`,
        `InputError` if texts, ids or columns cannot be used, and `StorageError` if a text that is needed is damaged.
        Cost: the texts of the documents that may share a passage are read.
        """
        least = self._open().settings.passages
        if least is None:
            raise ParameterError(
                'passages: expected an index made with store="text" and passages= (dedup index create --store text '
                f"--passages 50), found {self._folder} made without; make another one"
            )
        size = least if min_words is None else check_min_words(min_words, also=", or None")
        if size < least:
            raise ParameterError(
                f"min_words: expected at least {least:,}, for which the index in {self._folder} was made, found "
                f"{size:,}; make an index with smaller passages"
            )
        threads, progress = check_threads(threads), check_progress(progress)
        collection = read_texts(texts, ids=ids, column=column, id=id, several=False)
        collection.bound(self._bound.memory)
        with self._asking(), Progress(progress) as stages:
            how: dict[str, Any] = {"threads": workers_for(collection, threads), "stages": stages}
            return passage_search.find(self._open(), collection, min_words=size, **how)

    def seen(self, text: str) -> bool:
        """Return whether a document reaches the threshold of the index with a text. Cost: some 0.1 ms."""
        text = one_text(text)
        with self._asking():
            return queries.seen(self._open(), text)

    def best(self, text: str) -> tuple[int | str, float] | None:
        """Return the id of the document that is most similar to a text, and its Jaccard similarity.

        None if no document reaches the threshold of the index. Of several equal ones it is the first.
        """
        text = one_text(text)
        with self._asking():
            return queries.best_of(self._open(), text)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a document with an id."""
        with self._asking():
            view = self._open()
            if isinstance(name, bool) or not fits(view, name):
                return False
            return bool(view.find_ids([name])[0] >= 0)

    def refresh(self) -> bool:
        """Read what was committed since; return whether there was anything. For an index that is open for writing: no.

        Other threads that are asking meanwhile go on with what they had.
        """
        with self._guard:
            if self._writer is not None:
                return False
            view = self._open()
            if state_of(self._folder) == self._state:
                return False
            newer, self._state = open_view(self._folder, view.settings.shingle.key, view)
            changed = newer.manifest.generation != view.manifest.generation
            self._view = newer
            return changed

    def check(self, *, progress: ProgressOption = None) -> checking.IndexCheck:
        """Read everything that is committed, and return what is damaged, and which documents may not be found.

        `progress` is as for `dedup.find_duplicates`. Cost: all is read once; some microseconds per document.
        """
        with self._asking(), Progress(check_progress(progress)) as stages:
            return checking.check(self._folder, self._open().settings.shingle.key, stages)

    @staticmethod
    def check_files(
        path: Any, *, hash_key: bytes | None = None, progress: ProgressOption = None
    ) -> checking.IndexCheck:
        """Return what `check` returns, of an index that is not open: it may be too damaged to be opened.

        Raises `StorageError` if there is no index, and `ParameterError` if it was made with another hash key, or
        another format or Unicode version.
        """
        folder = Path(check_path("path", path))
        with Progress(check_progress(progress)) as stages:
            return checking.check(folder, hash_key, stages)

    @property
    def stats(self) -> IndexStats:
        """The numbers of the index."""
        view = self._open()
        manifest = view.manifest
        with storage_errors(f"read {self._folder}"):
            size = sum(entry.stat().st_size for entry in self._folder.iterdir() if entry.is_file())
        return IndexStats(
            documents=manifest.live,
            empty=manifest.empty,
            removed=manifest.documents - manifest.live,
            segments=len(view.segments),
            in_memory=len(view.memtable),
            shingles=manifest.hashes,
            bytes=size,
            generation=manifest.generation,
        )

    @property
    def options(self) -> dict[str, Any]:
        """The options with which the index was made; of the hash key the fingerprint."""
        return self._open().settings.to_json()

    @property
    def id_kind(self) -> str | None:
        """How documents are named: "int", "str", "auto" (running numbers), or None as long as there was none."""
        return self._open().manifest.ids

    def close(self, *, progress: ProgressOption = None) -> None:
        """Commit, if the index is open for writing, and close it. A closed index cannot be used.

        `progress` is as for `dedup.find_duplicates`. Cost: after the commit small segments are merged, which takes a
        second or two, or about a tenth of the time that it took to add millions of texts. A process that ends meanwhile
        loses nothing.
        """
        progress = check_progress(progress)
        with self._guard:
            self._close(commit=True, progress=progress)

    # parts

    def _close(self, *, commit: bool, progress: ProgressOption) -> None:
        writer, self._view = self._writer, None
        if writer is None:
            return
        self._writer = None
        try:
            if commit and not writer.interrupted:
                writer.commit()
                with Progress(progress) as stages:
                    writer.settle(partial(stages.stage, "merge"))
        finally:
            writer.close()

    def _open(self) -> View:
        writer = self._writer
        view = self._view if writer is None else writer.view
        if view is None:
            raise StorageError(f"expected an open index, found {self._folder} closed; open it again")
        return view

    def _threshold(self, threshold: float | None) -> float:
        """Return the threshold of a query. Raise `ParameterError` if it is lower than that of the index."""
        lowest = self._open().settings.threshold
        if threshold is None:
            return lowest
        reached = check_threshold(threshold)
        if reached < lowest:
            raise ParameterError(
                f"threshold: expected at least {lowest:g}, for which the index in {self._folder} was made, found "
                f"{reached:g}; make an index with a lower one"
            )
        return reached

    def _check_writer(self, verb: str) -> None:
        self._open()
        if self._writer is None:
            raise StorageError(
                f"{verb}: expected an index that is open for writing, found {self._folder} open for reading; open it "
                "with write=True"
            )

    def _writing(self, texts: Texts | None = None, threads: int = 1) -> Guarded:
        """Return what guards a change; the writer cannot be used after one that was interrupted.

        Raises `ParameterError` if the bound on memory is too small for the `texts` to add.
        """
        if texts is not None:
            texts.may_be_empty = True
        if self._writer is not None:
            self._writer.room = self._bound.newest(self._writer.view.documents, threads, texts)
        return Guarded(self._writer, self._guard, changing=True)

    def _asking(self) -> Guarded:
        """Return what guards a question."""
        return Guarded(self._writer, self._guard, changing=False)
