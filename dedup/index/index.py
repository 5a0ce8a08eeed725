"""`Index`: texts that were seen, on disk, and the question whether a text, or most of it, was among them.

Exact: a query finds all documents that reach the threshold, and no others. Of a document with n shingles any
``n - least(n, t) + 1`` have a posting, and a query looks up all of its own: since a document that reaches the threshold
t shares ``least(n, t)`` shingles with the query, one of the shared ones has a posting (`docs/explanation/index.md`).

Files: `dedup.index.manifest`. Cost: about 7 bytes a posting, 8 a shingle, and 80 a document on disk.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from dedup.errors import InputError, ParameterError, StorageError
from dedup.hash_key import HashKey
from dedup.hashing.units import hash_texts
from dedup.index import check as checking
from dedup.index import query as queries
from dedup.index.manifest import MANIFEST_NAME, Manifest
from dedup.index.memtable import new_counters
from dedup.index.settings import Settings
from dedup.index.view import View, sets_of
from dedup.index.writer import Writer, refuse_id
from dedup.options import check_flag, check_path, check_progress, check_threshold, check_whole, check_word, shown
from dedup.results.filtering import select_rows, unwrap
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import lock, thread_count
from dedup.sources.coerce import Texts, read_texts
from dedup.sources.files.naming import Files
from dedup.storage.atomic import storage_errors
from dedup.storage.writer_lock import LOCK_NAME
from dedup.threshold import Metric
from dedup.unit import Unit

__all__ = ["Index", "IndexStats"]

ORDERS = ("best", "first")

ATTEMPTS = 100
"""How often a reader begins anew, if the writer replaced files while it opened them."""

ID_SLICE = 1 << 14
"""Ids that are looked up at a time."""


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


class Index:
    """Texts on disk that can be searched for duplicates of a text, added to, and removed from.

    `Index.create` makes one, `Index.open` opens one. One process writes, any number read. Used with ``with``, an index
    that is open for writing is committed at the end, unless an exception ends the block; then what was not committed is
    lost. Methods may be called from several threads.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/seen"
    >>> with Index.create(folder) as index:
    ...     index.add({"a": "the bridge is closed until friday", "b": "something else"})
    2
    >>> with Index.open(folder) as index:
    ...     index.best("The bridge is closed until Friday!"), index.seen("it rained")
    (('a', 1.0), False)
    """

    def __init__(self, folder: Path, view: View, writer: Writer | None, state: object) -> None:
        """Use `Index.create` or `Index.open`."""
        self._folder = folder
        self._view: View | None = view
        self._writer = writer
        self._state = state
        self._guard = lock()

    @classmethod
    def create(
        cls,
        path: Any,
        *,
        threshold: float = 0.8,
        shingle: str | None = None,
        containment: bool = False,
        hash_key: bytes | None = None,
    ) -> Index:
        """Make an empty index in a new folder, and open it for writing.

        Parameters
        ----------
        path : of the folder: a str or a `pathlib.Path`
        threshold : 0 < threshold <= 1; the lowest threshold of a query. A lower one makes a larger index
        shingle : "words:n" or "chars:n"; by default "words:5"
        containment : whether ``query(metric="containment")`` is possible. Then every shingle has a posting: at a
            threshold of 0.8 the postings take five times as much space
        hash_key : as for `dedup.find_duplicates`. The index keeps only its fingerprint

        Raises `ParameterError` if an option has an invalid value, and `StorageError` if there is something at the path,
        or the system refuses.
        """
        folder = Path(check_path("path", path))
        settings = Settings.check(threshold=threshold, shingle=shingle, containment=containment, hash_key=hash_key)
        with storage_errors(f"make an index in {folder}", begun=False):
            found = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
            exists = folder.exists() and not folder.is_dir()
        left_over = {LOCK_NAME, f"{MANIFEST_NAME}.tmp", "rows-1.dedup", "sets-1.dedup", "ids-1.dedup"}
        if exists or not left_over.issuperset(found):
            what = "a file" if exists else "an index" if MANIFEST_NAME in found else f"a folder with {found[0]!r} in it"
            raise StorageError(
                f"expected nothing at {folder}, found {what}; name another folder, or open an index with "
                "dedup.Index.open"
            )
        Writer.create(folder, settings)
        return cls._of_writer(folder, Writer(folder, settings.shingle.key))

    @classmethod
    def open(cls, path: Any, *, write: bool = False, hash_key: bytes | None = None) -> Index:
        """Open an index: for reading, or with `write` also for adding and removing. It has the options of `create`.

        A reader sees the index as it was committed last; see `refresh`.

        Raises `StorageError` if there is no index, it is damaged, or, with `write`, another one writes it, and
        `ParameterError` if it was made with another hash key, or another format or Unicode version.
        """
        folder = Path(check_path("path", path))
        if check_flag("write", write):
            return cls._of_writer(folder, Writer(folder, hash_key))
        view, state = _open_view(folder, hash_key, None)
        return cls(folder, view, None, state)

    @classmethod
    def _of_writer(cls, folder: Path, writer: Writer) -> Index:
        return cls(folder, writer.view, writer, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._close(commit=kind is None)

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
        by = Metric(check_word("metric", metric, [str(each) for each in Metric]))
        reached = self._threshold(threshold)
        if by is Metric.CONTAINMENT and not view.settings.containment:
            raise ParameterError(
                f"metric: containment needs an index made with containment=True, found {self._folder} made without; "
                "make another one"
            )
        order = check_word("order", order, ORDERS)
        most = None if limit is None else check_whole("limit", limit, 1, also=", or None")
        workers, progress = thread_count(threads), check_progress(progress)
        collection = read_texts(texts, ids=ids, column=column, id=id)
        with self._writing(), Progress(progress) as stages:
            return queries.query(
                self._open(),
                collection,
                threshold=reached,
                metric=by,
                limit=most,
                first=order == "first",
                threads=workers,
                stages=stages,
            )

    def seen(self, text: str) -> bool:
        """Return whether a document reaches the threshold of the index with a text. Cost: some 0.1 ms."""
        text = _one_text(text)
        with self._writing():
            return queries.seen(self._open(), text)

    def best(self, text: str) -> tuple[int | str, float] | None:
        """Return the id of the document that is most similar to a text, and its Jaccard similarity.

        None if no document reaches the threshold of the index. Of several equal ones it is the first.
        """
        text = _one_text(text)
        with self._writing():
            return queries.best_of(self._open(), text)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a document with an id."""
        if not isinstance(name, int | str) or isinstance(name, bool):
            return False
        with self._writing():
            view = self._open()
            if not _fits(view, name):
                return False
            return bool(view.find_ids([name])[0] >= 0)

    # changing

    def add(
        self,
        texts: Any,
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        replace: bool = False,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> int:
        """Add texts, duplicates too, and return how many. They are on disk for certain after `commit`.

        Parameters
        ----------
        texts : a collection in any form that `dedup.find_duplicates` takes, files too
        ids : one int or str per text, each only once. Without ids a text gets the next running number of the index,
            which is never given twice. Whether ids are given, and their type, is fixed by the first texts.
        column, id, threads, progress : as for `dedup.find_duplicates`
        replace : what happens if an id is in the index: with True the older text is removed, else it is an error

        Raises
        ------
        ParameterError : an option has an invalid value
        InputError : texts, ids or columns cannot be used, or an id is in the index already. Then nothing was added,
            unless a text itself is invalid: then those before it were
        StorageError : the index is open for reading, or the system refuses
        """
        self._check_writer("add")
        replace = check_flag("replace", replace)
        workers, progress = thread_count(threads), check_progress(progress)
        collection = read_texts(texts, ids=ids, column=column, id=id)
        with self._writing() as writer, Progress(progress) as stages:
            names = _names_of(collection)
            if replace and names is None:
                raise ParameterError("replace: expected texts with ids, found none; pass ids=, or id= for a table")
            kind = writer.check_ids(names)
            old = _in_index(writer.view, names)
            if len(old) and not replace:
                refuse_id(writer.view.read(old[:1])[1][0], "pass replace=True to put the new text in its place")
            if len(old):
                writer.remove(old)
            for block, sets in _hashed(collection, writer.view, workers, stages, "add"):
                first = block.places[0, 0] if len(block.places) else 0
                part = None if names is None else list(names[first : first + block.texts])
                writer.add(sets, block.digests, part, kind)
            return len(collection)

    def filter_new(
        self,
        texts: Any,
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> Any:
        """Add those texts that reach the threshold with no text seen before, and return them, as the same type.

        Seen before are the documents of the index, and the texts kept earlier in the same collection. So in an index
        that is filled only by this, all batches together give what ``dedup.find_duplicates(all, keep="first").filter``
        gives. A text without a token is always kept.

        Parameters and errors are those of `add`, without `replace`. An id that is in the index already is an error if
        its text is new; then the texts in blocks before it were added. Files are not taken: their kept records have to
        be written somewhere, which ``dedup index filter-new`` does.
        """
        self._check_writer("filter_new")
        if isinstance(texts, Files) or hasattr(texts, "__fspath__"):
            raise InputError(
                "filter_new: expected a collection in memory, found files; use the command `dedup index filter-new`, "
                "or read them first"
            )
        workers, progress = thread_count(threads), check_progress(progress)
        if isinstance(texts, str):
            read_texts(texts)  # raises the error
        data, wrap = unwrap(texts)
        collection = read_texts(data, ids=ids, column=column, id=id)
        kept = self._filter(collection, workers, progress)
        return wrap(select_rows(data, kept))

    def _filter(self, collection: Texts, threads: int, progress: ProgressOption) -> np.ndarray[Any, Any]:
        """Add the texts that were not seen before; return which (bool)."""
        with self._writing() as writer, Progress(progress) as stages:
            names = _names_of(collection)
            kind = writer.check_ids(names)
            parts = [np.empty(0, dtype=np.bool_)]
            for block, sets in _hashed(collection, writer.view, threads, stages, "filter"):
                first = block.places[0, 0] if len(block.places) else 0
                part = None if names is None else list(names[first : first + block.texts])
                parts.append(writer.filter(sets, block.digests, part, kind, threads))
            return np.concatenate(parts)

    def remove(self, ids: Any) -> int:
        """Remove the documents of some ids, and return how many. An id that is not there is an `InputError`.

        Their texts are found no more. Their space on disk is free after `compact`.
        """
        self._check_writer("remove")
        if isinstance(ids, int | str) and not isinstance(ids, bool):
            ids = [ids]
        names = list(read_texts([""] * len(given), ids=given).ids or ()) if (given := _list_of(ids)) else []
        with self._writing() as writer:
            view = writer.view
            wrong = [name for name in names[:1] if not _fits(view, name)]
            numbers = view.find_ids(names) if not wrong else np.full(len(names), -1, dtype=np.int64)
            if len(names) and int(numbers.min()) < 0:
                missing = names[int(np.flatnonzero(numbers < 0)[0])]
                raise InputError(
                    f"ids: expected ids of documents of the index, found {shown(missing)}, which is not there; nothing "
                    "was removed"
                )
            if len(numbers):
                writer.remove(np.sort(numbers))
            return len(numbers)

    def merge(self, other: Any) -> int:
        """Add the documents of another index, and return how many. Their texts are not needed.

        Parameters
        ----------
        other : the path of an index, or an index that is open; what is committed there is read. It must have the
            same options. With running numbers its documents get new ones.

        Raises `ParameterError` if an option differs, `InputError` if an id is in both, and `StorageError` if `other` is
        no index or is damaged.
        """
        self._check_writer("merge")
        path = other._folder if isinstance(other, Index) else Path(check_path("other", other))  # noqa: SLF001
        if path.resolve() == self._folder.resolve():
            raise ParameterError(f"other: expected another index, found this one, {path}; name another folder")
        with self._writing() as writer:
            known = writer.view.settings
            source, _ = _open_view(path, known.shingle.key, None)
            here, there = known.to_json(), source.settings.to_json()
            for name, value in here.items():
                if there[name] != value:
                    raise ParameterError(
                        f"{name}: expected {value!r} as in {self._folder}, found {there[name]!r} in {path}; make the "
                        "other index again with the same options"
                    )
            if source.manifest.ids is None:
                return 0
            ids = None if source.manifest.ids == "auto" else ["" if source.manifest.ids == "str" else 0]
            writer.check_ids(ids)
            if ids is not None:
                for start in range(0, source.manifest.documents, ID_SLICE):
                    some = np.arange(start, min(start + ID_SLICE, source.manifest.documents), dtype=np.int64)
                    old = _in_index(writer.view, source.stored.read(source.living(some))[1])
                    if len(old):
                        refuse_id(writer.view.read(old[:1])[1][0], f"remove it from one of them, or from {path}")
            writer.feed(source, fresh_ids=ids is None)
            return source.manifest.live

    # keeping

    def commit(self) -> None:
        """Make everything that was done so far durable: it survives any end of the process, and of the machine."""
        self._check_writer("commit")
        with self._writing() as writer:
            writer.commit()

    def compact(self) -> None:
        """Write the index anew without removed documents, as one segment, and commit. Ids do not change.

        Cost: all is read and written once; until the end both are on disk.
        """
        self._check_writer("compact")
        with self._writing() as writer:
            writer.compact()

    def refresh(self) -> bool:
        """Read what was committed since; return whether there was anything. For an index that is open for writing: no.

        Other threads that are asking meanwhile go on with what they had.
        """
        with self._guard:
            if self._writer is not None:
                return False
            view = self._open()
            if _state_of(self._folder) == self._state:
                return False
            newer, self._state = _open_view(self._folder, view.settings.shingle.key, view)
            changed = newer.manifest.generation != view.manifest.generation
            self._view = newer
            return changed

    def check(self) -> checking.IndexCheck:
        """Read everything that is committed, and return what is damaged, and which documents may not be found.

        Cost: all is read once; some microseconds per document.
        """
        with self._writing():
            return checking.check(self._folder, self._open().settings)

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

    def close(self) -> None:
        """Commit, if the index is open for writing, and close it. A closed index cannot be used."""
        with self._guard:
            self._close(commit=True)

    # parts

    def _close(self, *, commit: bool) -> None:
        writer, self._view = self._writer, None
        if writer is None:
            return
        self._writer = None
        try:
            if commit:
                writer.commit()
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

    def _writing(self) -> _Guarded:
        return _Guarded(self)


class _Guarded:
    """While it is entered, no other thread uses the writer. A reader needs no guard: its views do not change."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._guarded = index._writer is not None  # noqa: SLF001  # a part of the index

    def __enter__(self) -> Writer:
        if self._guarded:
            self._index._guard.__enter__()  # noqa: SLF001
        return self._index._writer  # type: ignore[return-value]  # noqa: SLF001  # methods that use it check it before

    def __exit__(self, *error: Any) -> None:
        if self._guarded:
            self._index._guard.__exit__(*error)  # noqa: SLF001


def _hashed(collection: Texts, view: View, threads: int, stages: Progress, stage: str) -> Any:
    """Yield the hashed blocks of texts, and their sets."""
    report = stages.stage(stage, collection.about())
    how: dict[str, Any] = {"unit": Unit.DOCUMENT, "threads": threads, "progress": report}
    return hash_texts(collection, view.settings.shingle, lambda block: sets_of(block.rows), **how)


def _names_of(collection: Texts) -> Any:
    """Return the ids of texts: their own, or their places in files; None if they have none."""
    return collection.ids


def _in_index(view: View, names: Any) -> np.ndarray[Any, Any]:
    """Return the numbers of the documents that have one of some ids."""
    found = [np.empty(0, dtype=np.int64)]
    if names is not None and len(names) and view.documents:
        for start in range(0, len(names), ID_SLICE):
            numbers = view.find_ids(list(names[start : start + ID_SLICE]))
            found.append(numbers[numbers >= 0])
    return np.sort(np.concatenate(found))


def _fits(view: View, name: int | str) -> bool:
    """Return whether an id is of the type of the ids of the index."""
    kind = view.manifest.ids
    return kind is not None and isinstance(name, str) == (kind == "str") and (isinstance(name, str) or -(1 << 63) <= name < 1 << 63)


def _list_of(ids: Any) -> list[Any]:
    if isinstance(ids, Iterable) and not isinstance(ids, str | bytes):
        return list(ids)
    raise InputError(f"ids: expected a list of ids, found {type(ids).__name__} {shown(ids)}")


def _one_text(text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"text: expected one str, found {type(text).__name__} {shown(text)}; for several use query")
    return text


def _state_of(folder: Path) -> tuple[int, int, int] | None:
    try:
        found = (folder / MANIFEST_NAME).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _open_view(folder: Path, hash_key: bytes | HashKey | None, older: View | None) -> tuple[View, object]:
    """Open the newest generation. A file that the writer removed meanwhile means that there is a newer one."""
    for attempt in range(ATTEMPTS):
        state = _state_of(folder)
        manifest = Manifest.read(folder)
        settings = Settings.from_json(manifest.settings, folder, hash_key)
        same = older is not None and older.manifest.epoch == manifest.epoch
        try:
            return View(folder, manifest, settings, new_counters(), older if same else None), state
        except StorageError:
            if Manifest.read(folder).generation == manifest.generation or attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.001 * attempt)
    raise AssertionError
