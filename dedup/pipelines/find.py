"""`find_duplicates`: check the options, read the texts, and make a plan. `dedup.pipelines.order` then runs the stages.

The stages read texts in memory, or shards of files if there is a bound; the result is a `Duplicates`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.clusters.keys import Key, keys_of
from dedup.clusters.looks import check_looks
from dedup.clusters.priority import rank_units
from dedup.hashing.source import HeldUnits, TextSource
from dedup.hashing.units import Units
from dedup.option_types import (
    DistinctOption,
    Id,
    IgnoreOption,
    KeepOption,
    MethodOption,
    MetricOption,
    PairsOption,
    TokensOption,
    UnitOption,
)
from dedup.options import check_memory, check_progress
from dedup.pipelines import order
from dedup.pipelines.checkpoints import Run
from dedup.pipelines.find_files import search_files
from dedup.pipelines.found import duplicates_of
from dedup.pipelines.memory import FilePlan, Plan, TextPlan, Unbounded, plan_for
from dedup.pipelines.query import Query
from dedup.results.duplicates import Duplicates
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import thread_count
from dedup.sampling.measure import Size, measure, outline_of
from dedup.sampling.missed import sketcher_for
from dedup.sources.coerce import Texts, in_a_list, read_texts
from dedup.sources.files.file_texts import FileTexts

__all__ = ["find_duplicates", "find_in"]


def find_duplicates(
    texts: Any,
    *,
    unit: UnitOption = "document",
    threshold: float = 0.8,
    metric: MetricOption = "jaccard",
    shingle: str | None = None,
    method: MethodOption = "auto",
    keep: KeepOption = "first",
    ids: Iterable[Id] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    pairs: PairsOption = "auto",
    recall: float = 0.999,
    seed: int = 1,
    distinct: DistinctOption = (),
    within: str | Sequence[Any] | None = None,
    across: str | Sequence[Any] | None = None,
    min_documents: int | None = None,
    ignore: IgnoreOption = (),
    tokens: TokensOption = "words",
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Duplicates:
    """Find duplicate texts, exact and near: documents of a collection, or paragraphs or lines of one or more texts.

    Parameters
    ----------
    texts : list, tuple or any iterable of str; dict of id to str; Arrow, pandas or polars column; a table with `column`
        Also files: a `pathlib.Path` or the result of `dedup.files`; their texts are not kept in memory.
        A None or null is an empty text. With ``unit="paragraph"`` or ``"line"`` a single str is accepted.
    unit : "document", "paragraph" or "line" (lines that are not blank)
    threshold : 0 < threshold <= 1; a pair is reported iff its similarity is at least this
    metric : "jaccard" (shared / union of the shingle sets), or "containment" (shared / the smaller set), which finds a
        text inside a longer one. "edit": 1 - edit distance / length of the longer text, over the characters of the
        words joined by single spaces, for titles, names and short noisy texts; threshold above 0.5. It needs
        ``dedup-text[edit]``
    shingle : "words:n" or "chars:n"; by default "words:5" for documents, "words:3" for paragraphs and lines
    method : "exact" (finds all pairs), "lsh" (may miss a few, see `recall`), or "auto", which is exact
    keep : which text of a cluster is kept: "first", "last", "longest", "shortest" (characters) or "none"
        "none" removes all members of the clusters of "first": what is repeated, such as boilerplate. Or a
        callable(id, text) that returns a key; the text with the smallest key is kept. For paragraphs and lines the id
        is that of the document. For tables and files also "max:COLUMN" and "min:COLUMN": the largest or smallest
        number, text or date in that column. Nulls are last, ties are in input order.
    ids : one int or str per text, each only once; not for tables, which have `id`
    column, id : names of the text column and the id column of a table or of files; by default "text" and none
        A name with dots that no column has is the path of a nested field, as "doc.body".
        `column` may be a list of names: their texts are compared as one, joined by a blank line, and places are
        characters of a column.
    pairs : "all" lists every pair; "auto" lists the removed texts of a large cluster only with their kept text
        A cluster is large if it has more than 1,000 members, alone or together with the clusters that it is linked
        with: two clusters are linked if a removed text could have joined either.
    recall : 0 < recall < 1; for "lsh": the least probability that a pair at the threshold is found
    seed : 0 to 2^32 - 1; for "lsh": the seed of the MinHash permutations
    distinct : "numbers", "symbols", or both in a list: texts that differ in these alone are no pair
        "numbers": the words are the same, one by one, once each digit counts as 0. "symbols": the words are the same,
        and the punctuation and symbols are not (``C`` and ``C++``). How many pairs differ in numbers alone is in
        ``summary.numbers_only``; the column ``difference`` of the tables says what each pair differs in.
    within : the name of a column, or one label per text: only texts of one label are compared
        A label is a text, a number, a date, or None, which is a label too. The exact answer is that of one search per
        label, put together. A language or a source at a time takes one search.
    across : the name of a column, or one label per text: texts of one label are never compared
        For copies between sources, whatever is repeated within one. Both options together restrict the pairs of both.
    min_documents : from 1 on; a cluster that occurs in fewer documents is listed, but removes nothing
        None: 2 with ``keep="none"``, so that what is repeated in one document only is kept, else 1.
    ignore : "accents", "markup", "hyphenation", "numbers", or several in a list: differences that do not count
        "accents": marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters, so that café is cafe. "markup": tags of
        HTML and XML separate words; scripts, styles and comments are skipped, character references decoded.
        "hyphenation": a hyphen between two letters at the end of a line joins them. "numbers": each digit counts as 0.
        Places are always those of the original text (`dedup.text.rewriting`).
    tokens : "words", or "all": each symbol and punctuation mark is a token too, for code, mathematics and emoji
    hash_key : bytes, at least 16, preferably 32 random ones; None: the variable ``DEDUP_HASH_KEY``, else a public key
        For untrusted texts: without the key nobody can write a text that is taken for another text. Exact answers are
        the same for any key (`dedup.hash_key`).
    threads : number of threads; None: all processors that this process may use. The result is the same.
    memory : bytes, or a text such as "4GB": a limit on the memory used in addition to the caller's texts
        If the shingles do not fit, the texts are read twice or more; the exact answer is the same.
    progress : True, False, callable(stage, done, total), or None: a bar after a second, on a terminal or in a notebook

    Returns
    -------
    Duplicates, with ``pairs``, ``clusters``, ``kept``, ``removed``, ``repeated``, ``filter``, ``summary``

    Raises
    ------
    ParameterError : an option has an invalid value, or `memory` is too small even for the texts that are candidates
    InputError : texts, ids or columns cannot be used; the message names the place

    Notes
    -----
    The similarity of every reported pair is computed from its shingle sets, so no pair below the threshold is reported.
    The exact method finds all pairs at or above the threshold ("exact" is with respect to the 64-bit hashes of the
    shingles). Memory: 8 bytes per shingle, and half as much again for tables; less for large collections
    (`dedup.pairs.compact_filter`). Algorithms: a prefix join over the shingles that occur twice
    (`dedup.pairs.self_join`); MinHash [1] with bands chosen for the recall at the threshold (`dedup.lsh`); stars
    instead of chains.
    [1] Broder, "On the resemblance and containment of documents", 1997.

    >>> result = find_duplicates(["a b c d e f g", "something else", "A, b, c, d, e, f, g!"])
    >>> result.pairs.select(["left", "right", "jaccard"]).to_pylist()
    [{'left': 0, 'right': 2, 'jaccard': 1.0}]
    >>> result.kept.to_pylist()
    [0, 1]
    """
    return find_in(
        texts,
        unit=unit,
        threshold=threshold,
        metric=metric,
        shingle=shingle,
        method=method,
        keep=keep,
        ids=ids,
        column=column,
        id=id,
        pairs=pairs,
        recall=recall,
        seed=seed,
        distinct=distinct,
        within=within,
        across=across,
        min_documents=min_documents,
        ignore=ignore,
        tokens=tokens,
        hash_key=hash_key,
        threads=threads,
        memory=memory,
        progress=progress,
    )


def _plan_files(bound: int, threads: int) -> FilePlan:
    return FilePlan(bound, threads, resumable=False)


def find_in(
    texts: Any,
    *,
    ids: Iterable[Any] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
    limits: order.Limits = order.LIMITS,
    planned: Callable[[Size, int, int], TextPlan] = plan_for,
    planned_files: Callable[[int, int], FilePlan] = _plan_files,
    **options: Any,
) -> Duplicates:
    """Find duplicates as `find_duplicates`, whose `options` these are, within other limits or by another plan.

    `limits` are those of the stages. `planned` makes the plan of the size of the texts, the bound and the threads,
    `planned_files` that for files, of the bound and the threads. Tests hand them in.
    """
    query = Query.check(**options)
    workers, bound, progress = thread_count(threads), check_memory(memory), check_progress(progress)
    texts = in_a_list(texts, query.unit)
    by = query.keep_column
    extra = {name: option for option, name in reversed(query.other_columns)}
    collection = read_texts(texts, ids=ids, column=column, id=id, extra=extra, placed=not query.unit.whole)
    collection.bound(bound)
    if isinstance(collection, FileTexts):
        query.labels.check_named()
    with Progress(progress) as stages:
        if bound is not None and isinstance(collection, FileTexts):
            keys = _keys_by(query) if callable(query.keep) else None
            return search_files(collection, query, planned_files(bound, workers), stages, keys, limits=limits)
        values = None if by is None else collection.column(by)
        if values is not None:
            check_looks(query.keep, [values])
        labels = query.labels.read(collection)
        plan: Plan = Unbounded() if bound is None else planned(_size(collection, query), bound, workers)

        def rank_of(held: HeldUnits) -> npt.NDArray[np.int64]:
            units = held.units

            def keys() -> Any:
                return _keys_by(query)(collection, units) if values is None else values.take(units.places[:, 0])

            return rank_units(query.keep, len(units), lambda: _lengths(collection, units, query), keys)

        shingles = plan.size.shingles if isinstance(plan, TextPlan) else 0
        how = (query.unit, workers, stages, shingles, query.distinct, labels)
        source = TextSource(collection, query.shingle, *how, sketcher_for(query.threshold))
        found = order.find(source, query, plan, Run(stages, workers), rank_of, limits=limits)
    assert found.units is not None
    room = plan.room_for(0, len(found.units))
    seconds, listing = stages.seconds, limits.listing
    return duplicates_of(query, collection, found.units, found, seconds, room=room, limits=listing)


def _size(texts: Texts, query: Query) -> Size:
    return replace(measure(outline_of(texts), query.shingle, unit=query.unit), forms=query.held_forms)


def _lengths(texts: Texts, units: Units, query: Query) -> npt.NDArray[np.int64]:
    """Return the lengths of units in characters."""
    return texts.lengths() if query.unit.whole else units.places[:, 3] - units.places[:, 2]


def _keys_by(query: Query) -> Callable[[Texts, Units], list[Key]]:
    """Return a function that calls the function `keep` for the key of each unit."""

    def keys(texts: Texts, units: Units) -> list[Key]:
        if query.unit.whole:
            given = ((texts.id_of(row), texts[row], "") for row in units.places[:, 0].tolist())
        else:
            given = (
                (texts.id_of(row), texts[row][start:end], f", paragraph {paragraph}")
                for row, paragraph, start, end in units.places.tolist()
            )
        return keys_of(query.keep, given)

    return keys
