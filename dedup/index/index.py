"""`Index`: texts that were seen, on disk, and the question whether a text, or most of it, was among them.

Exact: a query finds all documents that reach the threshold, and no others. Of a document with n shingles any
``n - least(n, t) + 1`` have a posting, and a query looks up all of its own: since a document that reaches the threshold
t shares ``least(n, t)`` shingles with the query, one of the shared ones has a posting
(`docs/explanation/seen-before.md`).

Files: `dedup.index.manifest`. Cost: about 7 bytes a posting, 8 a shingle, and 100 a document on disk.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, ParameterError, StorageError
from dedup.index.adding.incoming import (
    REPLACE,
    OneText,
    add_missing,
    add_one,
    filter_one,
    hash_only,
    hashed,
    in_index,
    listed,
    merged,
    names_of,
    only_text,
    placed,
)
from dedup.index.log.rows import kind_of_ids, refuse_id
from dedup.index.manifest import INDEX_MANIFEST, Manifest
from dedup.index.memory import Bound
from dedup.index.opening import fits, open_view, workers_for
from dedup.index.reading import OpenIndex
from dedup.index.settings import Settings
from dedup.index.writer import Writer
from dedup.option_types import Data, Id, Item
from dedup.options import check_flag, check_memory, check_path, check_progress, check_threads, shown
from dedup.report.apply import Applied, apply_rows, check_rows_output
from dedup.results.data.rows import select_rows, unwrap
from dedup.runtime.progress import Progress, ProgressOption, quiet
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import Texts, read_texts
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.files.naming import Files
from dedup.storage.atomic import storage_errors
from dedup.storage.writer_lock import WRITER_LOCK

__all__ = ["Index"]


class Index(OpenIndex):
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

    @classmethod
    def create(
        cls,
        path: Any,
        *,
        threshold: float = 0.8,
        shingle: str | None = None,
        containment: bool = False,
        distinct: str | Collection[str] = (),
        ignore: str | Collection[str] = (),
        tokens: str = "words",
        store: str = "hashes",
        passages: int | None = None,
        method: str = "exact",
        hash_key: bytes | None = None,
        memory: int | str | None = None,
    ) -> Index:
        """Make an empty index in a new folder, and open it for writing.

        Parameters
        ----------
        path : of the folder: a str or a `pathlib.Path`
        threshold : 0 < threshold <= 1; the lowest threshold of a query. A lower one makes a larger index
        shingle : "words:n" or "chars:n"; by default "words:5"
        containment : whether ``query(metric="containment")`` is possible. Then every shingle has a posting: at a
            threshold of 0.8 the postings take five times as much space
        distinct : "numbers", "symbols", or both: texts that differ in these alone are no pair, as for
            `dedup.find_duplicates`
        ignore, tokens : as for `dedup.find_duplicates`; for all texts that are added or looked up
        store : "hashes", or "text" to keep the texts too, compressed
        passages : the least number of words of a passage that `passages` can find, in the texts that are kept. None:
            passages cannot be found. Each half `passages` of words takes about ten bytes
        method : "exact", or "lsh" to find a pair at the threshold with a probability of 99.9 % only, with fewer
            postings. What is found is always verified
        hash_key : as for `dedup.find_duplicates`. The index keeps only its fingerprint
        memory : bytes, or a text such as "500 MB"; as in `open`

        Raises `ParameterError` if an option has an invalid value, and `StorageError` if there is something at the path,
        or the system refuses.
        """
        folder = Path(check_path("path", path))
        how: dict[str, Any] = {"ignore": ignore, "tokens": tokens, "hash_key": hash_key, "store": store}
        how |= {"passages": passages, "method": method, "containment": containment, "distinct": distinct}
        settings = Settings.check(threshold=threshold, shingle=shingle, **how)
        with storage_errors(f"make an index in {folder}", begun=False):
            found = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
            exists = folder.exists() and not folder.is_dir()
        left_over = {WRITER_LOCK, f"{INDEX_MANIFEST}.tmp", *Manifest(settings.to_json()).names()} - {INDEX_MANIFEST}
        if exists or not left_over.issuperset(found):
            what = (
                "a file" if exists else "an index" if INDEX_MANIFEST in found else f"a folder with {found[0]!r} in it"
            )
            raise StorageError(
                f"expected nothing at {folder}, found {what}; name another folder, or use the index "
                "that is there (dedup.Index.open, dedup index add)"
            )
        bound = Bound(check_memory(memory))
        Writer.create(folder, settings)
        return cls._of_writer(folder, Writer(folder, settings.shingle.key), bound)

    @classmethod
    def open(
        cls, path: Any, *, write: bool = False, hash_key: bytes | None = None, memory: int | str | None = None
    ) -> Index:
        """Open an index: for reading, or with `write` also for adding and removing. It has the options of `create`.

        A reader sees the index as it was committed last; see `refresh`. `memory` is the most that the open index may
        take, in addition to texts in memory and to pages of its files; if it is too small for a method, that raises
        `ParameterError`.

        Raises `StorageError` if there is no index, it is damaged, or, with `write`, another one writes it, and
        `ParameterError` if it was made with another hash key, or another format or Unicode version.
        """
        folder, bound = Path(check_path("path", path)), Bound(check_memory(memory))
        if check_flag("write", write):
            return cls._of_writer(folder, Writer(folder, hash_key), bound)
        view, state = open_view(folder, hash_key, None)
        return cls(folder, view, None, state, bound)

    @classmethod
    def _of_writer(cls, folder: Path, writer: Writer, bound: Bound) -> Index:
        return cls(folder, writer.view, writer, None, bound)

    # changing

    def add(
        self,
        texts: Any,
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        replace: bool = False,
        resume: bool = False,
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
        resume : leave out texts that are in the index already, with the same id and the same words, and commit
            each time that 17 million shingles were added. So the same call, made again, goes on after an interruption

        Raises
        ------
        ParameterError : an option has an invalid value
        InputError : texts, ids or columns cannot be used, or an id is in the index already. Then nothing was added,
            unless a text itself is invalid: then those before it were
        StorageError : the index is open for reading, or the system refuses
        """
        self._check_writer("add")
        replace, resume = check_flag("replace", replace), check_flag("resume", resume)
        if not (replace or resume) and (one := self._one(texts, ids, (column, id), threads, progress)) is not None:
            with self._writing() as writer:
                return add_one(writer, *one)
        threads, progress = check_threads(threads), check_progress(progress)
        collection = read_texts(texts, ids=ids, column=column, id=id, several=False)
        workers = workers_for(collection, threads)
        with self._writing(collection, workers) as writer, Progress(progress) as stages:
            names = collection.ids
            for option, wanted in (("replace", replace), ("resume", resume)):
                if wanted and names is None:
                    raise ParameterError(
                        f"{option}: expected texts with ids, found none; pass ids=, or id= for a table"
                    )
            kind = kind_of_ids(writer.manifest, names, len(collection))
            if resume:
                return add_missing(writer, collection, kind, workers, stages, replace=replace)
            old = in_index(writer.view, names)
            if len(old) and not replace:
                refuse_id(writer.view.read(old[:1])[1][0], REPLACE)
            if len(old):
                writer.remove(old)
            for block, sets in hashed(collection, writer.view.settings, workers, stages, "add"):
                writer.add(sets, names_of(names, block), kind)
            return len(collection)

    @overload
    def filter_new(
        self,
        texts: Any,
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        output: str | os.PathLike[str],
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> Applied: ...
    @overload
    def filter_new(
        self,
        texts: os.PathLike[str] | Files | FileTexts,
        *,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> dict[Id, str]: ...
    @overload
    def filter_new(
        self,
        texts: Iterator[Item],
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> list[Item]: ...
    @overload
    def filter_new(
        self,
        texts: Data,
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> Data: ...
    def filter_new(
        self,
        texts: Any,
        *,
        ids: Iterable[Any] | None = None,
        column: str | None = None,
        id: str | None = None,
        output: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> Any:
        """Add those texts that reach the threshold with no text seen before, and return them, as the same type.

        Seen before are the documents of the index, and the texts kept earlier in the same collection. So in an index
        that is filled only by this, all batches together give what ``dedup.find_duplicates(all, keep="first").filter``
        gives. A text without a token is kept, unless a document without one has its id.

        Of files (a path, or `dedup.files`) the new texts are returned as a dict of id to text. With `output`, the path
        of a new or an empty folder, their records are written there instead, to files of the same format, and the
        numbers of files and records are returned (`dedup.Applied`). The folder is complete before the index is
        committed.

        Other parameters, and errors, are those of `add`, without `replace` and `resume`. An id that is in the index
        already is an error if no document of the index is like its text, also if an earlier text of the call is; then
        the texts in blocks before it were added.
        """
        self._check_writer("filter_new")
        if output is None and (one := self._one(texts, ids, (column, id), threads, progress)) is not None:
            with self._writing() as writer:
                return type(texts)(texts if filter_one(writer, *one) else ())
        threads, progress = check_threads(threads), check_progress(progress)
        if isinstance(texts, Files | FileTexts) or hasattr(texts, "__fspath__"):
            return self._filter_files(
                read_texts(texts, ids=ids, column=column, id=id, several=False), output, thread_count(threads), progress
            )
        if output is not None:
            raise ParameterError(
                f"output: expected files to write anew, found {type(texts).__name__}; leave it out, and take what is "
                "returned"
            )
        if isinstance(texts, str):
            read_texts(texts)  # raises the error
        data, wrap = unwrap(texts)
        collection = read_texts(data, ids=ids, column=column, id=id, several=False)
        with Progress(progress) as stages:
            kept = self._filter(collection, workers_for(collection, threads), stages)
        return wrap(select_rows(data, kept))

    def _one(self, texts: Any, ids: Any, columns: Any, threads: Any, progress: Any) -> OneText | None:
        """Return the text and the id of a collection of one text, hashed, if nothing else is to be done about it."""
        given = only_text(texts, ids) if columns == (None, None) and self._bound.memory is None else None
        if given is None or not (threads is None or (type(threads) is int and threads == 1)) or not quiet(progress):
            return None
        return hash_only(*given, self._open().settings)

    def _filter_files(self, texts: Any, output: Any, threads: int, progress: ProgressOption) -> Any:
        with Progress(progress) as stages:
            if output is not None:
                check_rows_output(texts, output, [("the index", self._folder)])
            kept = self._filter(texts, threads, stages)
            try:
                if output is not None:
                    return apply_rows(texts, kept, output, threads=threads, stages=stages)
                return {texts.ids[row]: texts[row] for row in np.flatnonzero(kept).tolist()}
            except BaseException:
                assert self._writer is not None
                self._writer.interrupted = True  # else these texts would count as seen, and nobody has them
                raise

    def _filter(self, collection: Texts, threads: int, stages: Progress) -> npt.NDArray[Any]:
        """Add the texts that were not seen before; return which (bool)."""
        with self._writing(collection, threads) as writer:
            names = collection.ids
            kind = kind_of_ids(writer.manifest, names, len(collection))
            parts = [np.empty(0, dtype=np.bool_)]
            for block, sets in hashed(collection, writer.view.settings, threads, stages, "filter"):
                parts.append(writer.filter(sets, names_of(names, block), kind, threads, placed(collection, block)))
            return np.concatenate(parts)

    def remove(self, ids: Any) -> int:
        """Remove the documents of some ids, and return how many. An id that is not there is an `InputError`.

        Their texts are found no more. Their space on disk is free after `compact`.
        """
        self._check_writer("remove")
        if isinstance(ids, int | str) and not isinstance(ids, bool):
            ids = [ids]
        names = list(read_texts([""] * len(given), ids=given).ids or ()) if (given := listed(ids)) else []
        with self._writing() as writer:
            view = writer.view
            wrong = [name for name in names[:1] if not fits(view, name)]
            numbers = view.find_ids(names) if not wrong else np.full(len(names), -1, dtype=np.int64)
            if len(names) and int(numbers.min()) < 0:
                missing = names[int(np.flatnonzero(numbers < 0)[0])]
                raise InputError(
                    f"ids: expected ids of documents of the index, found {shown(missing)}, which is not there; name "
                    "others (nothing was removed)"
                )
            if len(numbers):
                writer.remove(np.sort(numbers))
            return len(numbers)

    def merge(self, other: Any, *, progress: ProgressOption = None) -> int:
        """Add the documents of another index, and return how many. Their texts are not needed.

        Parameters
        ----------
        other : the path of an index, or an index that is open; what is committed there is read. It must have the
            same options. With running numbers its documents get new ones.
        progress : as for `dedup.find_duplicates`

        Raises `ParameterError` if an option differs, `InputError` if an id is in both, and `StorageError` if `other` is
        no index or is damaged.
        """
        self._check_writer("merge")
        path = other._folder if isinstance(other, Index) else Path(check_path("other", other))  # noqa: SLF001
        if path.resolve() == self._folder.resolve():
            raise ParameterError(f"other: expected another index, found this one, {path}; name another folder")
        progress = check_progress(progress)
        with self._writing() as writer, Progress(progress) as stages:
            return merged(writer, path, self._folder, stages)

    # keeping

    def commit(self) -> None:
        """Make everything that was done so far durable: it survives any end of the process, and of the machine."""
        self._check_writer("commit")
        with self._writing() as writer:
            writer.commit()

    def compact(self, *, progress: ProgressOption = None) -> None:
        """Write the index anew without removed documents, as one segment, and commit. Ids do not change.

        `progress` is as for `dedup.find_duplicates`. Cost: all is read and written once; until the end both are on
        disk.
        """
        self._check_writer("compact")
        progress = check_progress(progress)
        with self._writing() as writer, Progress(progress) as stages:
            writer.compact(stages.stage("compact", len(self)))
