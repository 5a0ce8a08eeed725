"""The flow of `find_duplicates`: the order of the stages, and nothing else.

texts -> blocks -> units with shingle hashes -> exact copies collapse (-> background -> band keys -> buckets)
-> candidates -> verified pairs -> stars -> Duplicates
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.background import sample_background
from dedup.blocks import map_blocks, thread_count
from dedup.clusters import check_keep, find_stars, rank_by_size, rank_units
from dedup.columns import Texts, read_texts
from dedup.duplicates import Duplicates, Run
from dedup.errors import InputError, ParameterError
from dedup.join import join
from dedup.lsh import Bands, Buckets, band_keys, check_recall, check_threshold, choose_bands, find_buckets
from dedup.marks import Sieve
from dedup.minhash import check_seed, permutations, sign
from dedup.pairs import METRICS, Pairs, no_pairs, similarity, verify
from dedup.plan import Plan, check_memory, make_plan
from dedup.progress import Progress, ProgressOption
from dedup.shingling import Shingle, parse
from dedup.units import Sketch, Units, read_units, sketches

__all__ = ["find_duplicates"]

UNITS = {"document": "words:5", "paragraph": "words:3"}
"""The units, and the shingle that each is compared by unless told otherwise."""

FEWEST_TEXTS = 5000
"""Bands are chosen as for so many texts at least: the sample of a small collection shows little, and loose bands may
throw much of it into large buckets."""

METHODS = ("auto", "exact", "lsh")
LISTINGS = ("auto", "all")


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
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Duplicates:
    """Find texts that are the same or nearly so: whole documents, or paragraphs in one document or many.

    Parameters
    ----------
    texts : list, tuple or any iterable of str; dict of id to str; Arrow, pandas or polars column; a table with `column`
        Files too: a `pathlib.Path`, or what `dedup.files` gives; their texts are not held
        A None or null is an empty text. With ``unit="paragraph"`` one str is fine.
    unit : "document" or "paragraph"
    threshold : 0 < threshold <= 1; a pair is reported iff shared / union of its shingle sets is at least this
    metric : "jaccard", or "containment": shared / the smaller set ("this text stands inside that one")
    shingle : "words:n" or "chars:n"; by default "words:5" for documents, "words:3" for paragraphs
    method : "exact" (all pairs, none missed), "lsh" (all but a few), or "auto", which is exact
    keep : "first", "last", "longest", "shortest" (characters), or callable(id, text) -> key, the smallest kept
        Which text of a cluster stays. Paragraphs are given to the callable with their document's id.
    ids : one int or str a text, each once; for collections that are no tables
    column, id : names of the text and id column of a table or of files; by default "text" and none
    pairs : "auto" or "all"; "auto" lists the removed texts of clusters of over 1,000 with their kept text alone
    recall : 0 < recall < 1; with "lsh", the least probability that a pair at the threshold is found
    seed : 0 to 2^32 - 1; with "lsh", of the MinHash permutations
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
    shingle, and half as much again for tables. Algorithms: a prefix join over the shingles that occur twice
    (`dedup.join`); MinHash [1] with bands chosen for recall at the threshold (`dedup.lsh`); stars instead of chains.
    [1] Broder, "On the resemblance and containment of documents", 1997.

    >>> result = find_duplicates(["a b c d e f g", "something else", "A, b, c, d, e, f, g!"])
    >>> result.pairs.select(["left", "right", "jaccard"]).to_pylist()
    [{'left': 0, 'right': 2, 'jaccard': 1.0}]
    >>> result.kept.to_pylist()
    [0, 1]
    """
    _check(unit, metric, method, pairs)
    check_threshold(threshold)
    check_recall(recall)
    check_keep(keep)
    check_seed(seed)
    if method == "lsh":
        choose_bands(threshold, recall)  # where there are none, the error comes before the work
    kind = parse(UNITS[unit] if shingle is None else shingle)
    workers = thread_count(threads)
    bound = check_memory(memory)
    if isinstance(texts, str):
        if unit == "document":
            raise InputError('expected a collection of texts, found one str; pass [text], or use unit="paragraph"')
        texts = [texts]
    collection = read_texts(texts, ids=ids, column=column, id=id)
    paragraphs = unit == "paragraph"
    plan = make_plan(collection, kind, bound, workers, paragraphs=paragraphs)
    with Progress(progress) as stages:
        if plan is None or plan.one_pass:
            report = stages.stage("read", collection.about())
            units = read_units(collection, kind, paragraphs=paragraphs, threads=workers, progress=report)
        else:
            units = _sift(collection, kind, plan, threshold, metric, workers, stages, paragraphs=paragraphs)
        stages.stage("exact copies", 1)
        rank = rank_units(
            keep, len(units), lambda: _lengths(collection, units, unit), lambda: _keys(keep, collection, units, unit)
        )
        representatives = units.representatives(rank)
        copied = np.unique(representatives[representatives != np.arange(len(units))])
        leading = units.held[representatives[units.held] == units.held]
        copies = np.bincount(representatives, minlength=len(units))
        bands = None
        if method != "lsh":
            report = stages.stage("join", len(leading))
            joined = join(
                units,
                leading,
                rank,
                copies,
                threshold,
                metric,
                families=pairs == "auto",
                threads=workers,
                progress=report,
            )
            found, buckets = joined.pairs, None
        else:
            stages.stage("signatures", 1)
            background = sample_background(units.hashes, units.offsets, units.digests, leading, seed)
            bands = choose_bands(threshold, recall, texts=max(len(leading), FEWEST_TEXTS), background=background)
            keys = _sign(units, bands, seed, workers)
            found, buckets = _collide(units, leading, keys, threshold, workers, stages)
        units.prepare(copied, workers)
        if metric == "containment":
            rank = rank_by_size(rank, units)
        stages.stage("clusters", 1)
        stars = find_stars(units, representatives, found, rank, threshold, metric, buckets)
        every_pair = Pairs(*(np.concatenate(both) for both in zip(found, stars.further, strict=True))).sorted()
        closest = None
        if not len(every_pair.left) and not len(copied):
            stages.stage("closest pair", 1)
            closest = _closest(units, leading, rank, copies, buckets, threshold, metric, workers)
    units.hashes = np.empty(0, dtype=np.uint64)
    run = Run(
        unit=unit,
        method="exact" if bands is None else "lsh",
        shingle=str(kind),
        threshold=threshold,
        listing=pairs,
        column="text" if column is None else column,
        metric=metric,
        bands=bands,
        large_buckets=0 if buckets is None else len(buckets),
        crowded=None if buckets is None else np.unique(buckets.members),
        closest=closest,
    )
    return Duplicates(run, collection, units, representatives, rank, every_pair, stars, stages.seconds)


def _sift(
    texts: Texts,
    shingle: Shingle,
    plan: Plan,
    threshold: float,
    metric: str,
    threads: int,
    stages: Progress,
    *,
    paragraphs: bool,
) -> Units:
    """Read the texts several times, and keep the hashes of the units that may have a partner."""
    read = partial(sketches, texts, shingle, paragraphs=paragraphs, threads=threads)
    sieve = Sieve(plan.size.shingles, threshold, whole=metric == "containment", room=plan.room // 2)
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
    return read_units(texts, shingle, paragraphs=paragraphs, threads=threads, choose=choose, progress=report)


SIGNED = 256
"""Units that a thread signs at a time."""


def _sign(units: Units, bands: Bands, seed: int, threads: int) -> npt.NDArray[np.uint64]:
    """Return the band keys of all units, a row a band."""
    functions = permutations(bands.num_perm, seed)

    def work(first: int) -> npt.NDArray[np.uint64]:
        return band_keys(sign(units.hashes, units.offsets[first : first + SIGNED + 1], *functions), bands)

    keys = np.empty((bands.bands, len(units)), dtype=np.uint64)
    for number, part in enumerate(map_blocks(work, range(0, len(units), SIGNED), threads)):
        keys[:, number * SIGNED : (number + 1) * SIGNED] = part
    return keys


def _collide(
    units: Units,
    leading: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    threshold: float,
    threads: int,
    stages: Progress,
) -> tuple[Pairs, Buckets]:
    """Return the verified pairs of the small buckets, and all buckets."""
    stages.stage("buckets", 1)
    buckets = find_buckets(keys, leading)
    units.prepare(np.unique(np.concatenate((buckets.pairs.ravel(), buckets.members))), threads)
    report = stages.stage("verify", len(buckets.pairs))
    return verify(units, buckets.pairs, threshold, threads, report), buckets


def _check(unit: str, metric: str, method: str, pairs: str) -> None:
    for name, value, known in (
        ("unit", unit, tuple(UNITS)),
        ("metric", metric, METRICS),
        ("method", method, METHODS),
        ("pairs", pairs, LISTINGS),
    ):
        if value not in known:
            raise ParameterError(f"{name}: expected {' or '.join(f'{k!r}' for k in known)}, found {value!r}")
    if metric == "containment" and method == "lsh":
        raise ParameterError('metric: containment needs method="exact" (or "auto"); bands are for jaccard')


def _lengths(texts: Texts, units: Units, unit: str) -> npt.NDArray[np.int64]:
    return texts.lengths() if unit == "document" else units.places[:, 3] - units.places[:, 2]


def _keys(keep: Any, texts: Texts, units: Units, unit: str) -> list[Any]:
    if unit == "document":
        return [keep(texts.id_of(row), texts[row]) for row in range(len(texts))]
    return [keep(texts.id_of(row), texts[row][start:end]) for row, _, start, end in units.places.tolist()]


CLOSEST = (0.5, 0.1)
"""Where nothing reaches the threshold, the exact method looks for the closest pair at these parts of it."""

CLOSEST_HASHES = 20_000_000
"""Shingles; in a larger collection it does not, since low thresholds take long."""


def _closest(
    units: Units,
    leading: npt.NDArray[np.int64],
    rank: npt.NDArray[np.int64],
    copies: npt.NDArray[np.int64],
    buckets: Buckets | None,
    threshold: float,
    metric: str,
    threads: int,
) -> tuple[int, int, float] | None:
    """Return the most similar pair that can be seen where none reached the threshold."""
    pairs = no_pairs()
    if buckets is not None:
        pairs = verify(units, buckets.pairs, 0.0, threads)
    elif len(units.hashes) <= CLOSEST_HASHES:
        for share in CLOSEST:
            pairs = join(units, leading, rank, copies, share * threshold, metric, families=True, threads=threads).pairs
            if len(pairs.left):
                break
    value = similarity(pairs, units.sizes, metric)
    if not len(value) or value.max() == 0.0:
        return None
    best = int(np.argmax(value))
    return int(pairs.left[best]), int(pairs.right[best]), float(value[best])
