"""The flow of `find_duplicates` over texts: in one pass, or in several under a bound; `dedup.pipelines.order` does the
rest.

texts -> blocks -> units with shingle hashes (of those that may have a partner, under a bound) -> search -> Duplicates
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.clusters.keys import Key, keys_of
from dedup.clusters.looks import check_looks
from dedup.clusters.stars import column_of
from dedup.errors import InputError
from dedup.hashing.units import Sketch, Units, read_units, sketches
from dedup.options import check_memory, check_progress
from dedup.pairs.compact_filter import pays, read_thinned
from dedup.pairs.seen_twice import Sieve
from dedup.pipelines.memory import Plan, make_plan
from dedup.pipelines.order import Question, search
from dedup.results.duplicates import Duplicates, Run
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import Texts, read_texts

__all__ = ["find_duplicates"]


def find_duplicates(
    texts: Any,
    *,
    unit: str = "document",
    threshold: float = 0.8,
    metric: str = "jaccard",
    shingle: str | None = None,
    method: str = "auto",
    keep: str | Callable[[Any, str], Any] = "first",
    ids: Iterable[Any] | None = None,
    column: str | None = None,
    id: str | None = None,
    pairs: str = "auto",
    recall: float = 0.999,
    seed: int = 1,
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Duplicates:
    """Find texts that are the same or nearly so: whole documents, or paragraphs or lines in one or many.

    Parameters
    ----------
    texts : list, tuple or any iterable of str; dict of id to str; Arrow, pandas or polars column; a table with `column`
        Files too: a `pathlib.Path`, or what `dedup.files` gives; their texts are not held
        A None or null is an empty text. With ``unit="paragraph"`` or ``"line"`` one str is fine.
    unit : "document", "paragraph" or "line" (each that is not blank)
    threshold : 0 < threshold <= 1; a pair is reported iff shared / union of its shingle sets is at least this
    metric : "jaccard", or "containment": shared / the smaller set ("this text stands inside that one")
    shingle : "words:n" or "chars:n"; by default "words:5" for documents, "words:3" for paragraphs and lines
    method : "exact" (all pairs, none missed), "lsh" (all but a few), or "auto", which is exact
    keep : "first", "last", "longest", "shortest" (characters), or callable(id, text) -> key, the smallest kept
        Which text of a cluster stays. Paragraphs and lines are given to the callable with their document's id. In
        tables and files also "max:COLUMN" and "min:COLUMN": by the numbers, texts or dates there; nulls last, ties in
        input order
    ids : one int or str a text, each once; for collections that are no tables
    column, id : names of the text and id column of a table or of files; by default "text" and none
    pairs : "auto" or "all"; "auto" lists the removed texts of clusters of over 1,000, alone or hanging together,
        with their kept text alone
    recall : 0 < recall < 1; with "lsh", the least probability that a pair at the threshold is found
    seed : 0 to 2^32 - 1; with "lsh", of the MinHash permutations
    hash_key : bytes, 16 or more, best 32 random ones; None: the variable ``DEDUP_HASH_KEY``, else a public key
        For texts of strangers: who does not know the key cannot write a text that is taken for another one. Exact
        answers are the same for any key (`dedup.hash_key`).
    threads : how many; None for all processors that this process may use. The result is the same.
    memory : bytes, or a text such as "4GB": a bound on what is taken above the caller's own texts
        Where it is too small to hold all shingles, the texts are read twice or more; the exact answer is the same.
    progress : True, False, callable(stage, done, total), or None: a bar on a terminal after a second

    Returns
    -------
    Duplicates, with ``pairs``, ``clusters``, ``kept``, ``removed``, ``repeated``, ``filter``, ``summary``

    Raises
    ------
    ParameterError : an option means nothing, or `memory` is too small even for the texts that may have a partner
    InputError : texts, ids or columns cannot be used; the message names the place

    Notes
    -----
    Every pair is counted on its real shingle sets, so nothing below the threshold is reported; with the exact method
    nothing at or above it is missed ("exact" is with respect to the 64-bit hashes of the shingles). Memory: 8 bytes a
    shingle, and half as much again for tables; less for large collections (`dedup.pairs.compact_filter`). Algorithms: a
    prefix join over the shingles that occur twice (`dedup.pairs.self_join`); MinHash [1] with bands chosen for recall
    at the threshold (`dedup.lsh`); stars instead of chains.
    [1] Broder, "On the resemblance and containment of documents", 1997.

    >>> result = find_duplicates(["a b c d e f g", "something else", "A, b, c, d, e, f, g!"])
    >>> result.pairs.select(["left", "right", "jaccard"]).to_pylist()
    [{'left': 0, 'right': 2, 'jaccard': 1.0}]
    >>> result.kept.to_pylist()
    [0, 1]
    """
    question = Question.check(
        unit=unit,
        threshold=threshold,
        metric=metric,
        shingle=shingle,
        method=method,
        keep=keep,
        pairs=pairs,
        recall=recall,
        seed=seed,
        hash_key=hash_key,
    )
    kind = question.shingle
    unit, threshold, metric, keep = question.unit, question.threshold, question.metric, question.keep
    workers = thread_count(threads)
    bound = check_memory(memory)
    progress = check_progress(progress)
    if isinstance(texts, str):
        if unit == "document":
            raise InputError(
                'expected a collection of texts, found one str; pass [text], or use unit="paragraph" or "line"'
            )
        texts = [texts]
    by = column_of(keep)
    collection = read_texts(texts, ids=ids, column=column, id=id, extra=by)
    collection.bound(bound)
    values = None if by is None else collection.column(by)
    if values is not None:
        check_looks(str(keep), [values])
    plan = make_plan(collection, kind, bound, workers, unit=unit)
    with Progress(progress) as stages:
        if plan is None or plan.one_pass:
            if pays(collection, kind, threshold, whole=question.whole, unit=unit):
                units = read_thinned(collection, kind, threshold, unit=unit, threads=workers, stages=stages)
            else:
                report = stages.stage("read", collection.about())
                units = read_units(collection, kind, unit=unit, threads=workers, progress=report)
        else:
            units = _sift(collection, question, plan, workers, stages)
        found = search(
            question,
            units,
            stages,
            workers,
            lengths=lambda: _lengths(collection, units, unit),
            keys=lambda: _keys(keep, collection, units, unit) if values is None else values.take(units.places[:, 0]),
            room=None if plan is None else plan.room,
        )
    run = Run(
        unit=unit,
        method="exact" if found.bands is None else "lsh",
        shingle=str(kind),
        threshold=threshold,
        listing=question.listing,
        column=collection.text_column,
        metric=metric,
        bands=found.bands,
        replay=found.replay,
        large_buckets=found.large_buckets,
        crowded=found.crowded,
        closest=found.closest,
        large=found.large,
        room=None if plan is None else plan.room,
        hash_key=kind.key.fingerprint,
    )
    return Duplicates(
        run, collection, units, found.representatives, found.rank, found.pairs, found.stars, stages.seconds
    )


def _sift(texts: Texts, question: Question, plan: Plan, threads: int, stages: Progress) -> Units:
    """Read the texts several times; return the units, with the hashes of those that may have a partner."""
    shingle, unit = question.shingle, question.unit
    read = partial(sketches, texts, shingle, unit=unit, threads=threads)
    sieve = Sieve(plan.size.shingles, question.threshold, whole=question.whole, room=plan.room // 2)
    every_alone = np.zeros(1, dtype=np.int64)
    for number in range(sieve.ranges):
        sieve.begin(number)
        report = stages.stage("mark", len(texts))
        for part in read(progress=report):
            sieve.enter(part.hashes)
        if sieve.ranges > 1:
            report = stages.stage("count", len(texts))
            parts = read(progress=report)
            alone = [np.empty(0, dtype=np.int64), *(sieve.count(part.hashes, part.offsets) for part in parts)]
            every_alone = np.concatenate(alone) + every_alone
    held = 0

    def choose(part: Sketch, before: int) -> npt.NDArray[np.bool_]:
        nonlocal held
        sizes = np.diff(part.offsets)
        alone = every_alone[before : before + len(sizes)]
        if sieve.ranges == 1:
            alone = sieve.count(part.hashes, part.offsets)
        stays = sieve.stays(alone, sizes)
        held += int(sizes[stays].sum())
        if not plan.fits(held, sieve.bytes):
            share = (part.places[-1, 0] + 1) / len(texts)
            raise plan.too_small(round(held / share), "the texts that may have a partner")
        return stays

    report = stages.stage("read", len(texts))
    return read_units(texts, shingle, unit=unit, threads=threads, choose=choose, progress=report)


def _lengths(texts: Texts, units: Units, unit: str) -> npt.NDArray[np.int64]:
    return texts.lengths() if unit == "document" else units.places[:, 3] - units.places[:, 2]


def _keys(keep: Any, texts: Texts, units: Units, unit: str) -> list[Key]:
    if unit == "document":
        given = ((texts.id_of(row), texts[row], "") for row in range(len(texts)))
    else:
        given = (
            (texts.id_of(row), texts[row][start:end], f", paragraph {paragraph}")
            for row, paragraph, start, end in units.places.tolist()
        )
    return keys_of(keep, given)
