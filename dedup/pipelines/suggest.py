"""`suggest`: which shingle and threshold fit a collection, without labels.

read (digests) -> a sample by digest -> the sample against all texts, with each kind of shingle -> where they part

Of a large collection only a part is read, so the cost has a bound, but for the lengths of all texts. The suggestion
depends on the set of texts, the options and the seed, not on the number of threads; and not on the order of the texts,
but for the pairs that are shown, and for which texts of one length are read of a large collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.clusters.copies import exact_copies
from dedup.errors import ParameterError
from dedup.hashing.shingles import Shingle
from dedup.hashing.units import HashRows, hash_texts
from dedup.option_types import Id, IgnoreOption, TokensOption, UnitOption
from dedup.options import check_memory, check_progress, check_seed, check_word
from dedup.reading import Reading
from dedup.results.suggestion import Suggestion
from dedup.results.suggestion_tables import histogram, samples_of
from dedup.runtime.arrays import sorted_unique
from dedup.runtime.memory import given, written
from dedup.runtime.progress import Progress, ProgressOption
from dedup.runtime.threads import map_blocks, thread_count
from dedup.sampling.kinds import hash_kinds
from dedup.sampling.part import Part, part_of
from dedup.sampling.parting import FEWEST_TO_PART, Parting, Seen, best_of, partings
from dedup.sampling.sampled import (
    BINS,
    EVERY_HASH,
    SampleIndex,
    Similarities,
    index_sample,
    limit_of,
    nothing_seen,
    see_rows,
)
from dedup.sources.coerce import Block, Texts, in_a_list, read_texts
from dedup.unit import Unit

__all__ = ["suggest"]

SUGGESTED = ("words:5", "words:3", "chars:8", "words:2", "chars:5", "chars:4", "words:1", "chars:3")
"""The kinds of shingle that are compared; of those that are nearly as good the first is suggested: it is searched
fastest."""

SAMPLED_UNITS = 400
"""Units. So many are compared with all. Curve of the answers: `benchmarks.quality.quality_suggest`."""

SAMPLED_HASHES = 2048
"""Hashes of a sampled unit from which the usual number is estimated."""

SIZES_IN_TEXT = 8
"""Factor. A kind is left out where the usual text has fewer words (characters) than this many times its size."""

READ_UNIT_BYTES = {True: 64, False: 96}
"""Bytes per unit that are held: digests, size and place. The key says whether units are documents."""

COMPARED_BLOCK_BYTES = 1 << 26
"""Bytes per thread, at most, for a block of texts with its hashes and histograms."""

DIGEST_MIXER = np.uint64(0x9E3779B97F4A7C15)


def suggest(
    texts: Any,
    *,
    unit: UnitOption = "document",
    ids: Iterable[Id] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    ignore: IgnoreOption = (),
    tokens: TokensOption = "words",
    hash_key: bytes | None = None,
    seed: int = 1,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: ProgressOption = None,
) -> Suggestion:
    """Suggest a shingle and a threshold for `find_duplicates`, from the texts alone. Nothing is removed or written.

    A sample of 400 units is compared with all units, with eight kinds of shingle. The similarities of unrelated texts
    are extrapolated from the bulk of those that are seen; the kind is taken whose partners stand farthest apart from
    them. Of a collection with more than 3 million characters, or 8,000 texts, a part is read: documents of about the
    same lengths, at three lengths; for paragraphs and lines, texts that are evenly spaced.

    Parameters
    ----------
    texts : a collection in any form that `dedup.find_duplicates` takes
    unit : "document", "paragraph" or "line"
    seed : 0 to 2^32 - 1; another seed takes another sample
    memory : bytes, or a text such as "4GB": a limit on the memory used in addition to the caller's texts
    ids, column, id, ignore, tokens, hash_key, threads, progress : as for `dedup.find_duplicates`

    Returns
    -------
    Suggestion, with ``shingle``, ``threshold``, ``metric``, ``reason``, ``histogram``, ``samples``, ``options``,
    ``command``

    Raises
    ------
    ParameterError : an option has an invalid value, or `memory` is too small
    InputError : texts, ids or columns cannot be used; the message names the place

    Notes
    -----
    Cost: that of reading the lengths of all texts, and half a second; files are read twice. How good the suggestions
    are is measured in `benchmarks.quality.quality_suggest`; look at `samples` before you remove anything.

    >>> texts = [f"item {i} {i * 7919 % 1000} of the list, in red and blue" for i in range(20)]
    >>> suggestion = suggest(texts)
    >>> suggestion.shingle, suggestion.threshold, suggestion.found
    ('words:5', 0.8, False)
    """
    of = Unit(check_word("unit", unit, [str(each) for each in Unit]))
    reading, seed = Reading.check(ignore, tokens, hash_key), check_seed(seed)
    workers, bound, progress = thread_count(threads), check_memory(memory), check_progress(progress)
    texts = in_a_list(texts, of)
    collection = read_texts(texts, ids=ids, column=column, id=id, placed=False)
    collection.bound(bound)
    with Progress(progress) as stages:
        part = part_of(collection, of)
        units = _read(part, of, reading, bound, workers, stages)
        first = exact_copies(units.digests, np.arange(len(units.digests), dtype=np.int64), units.filled)
        leading = units.filled[first[units.filled] == units.filled]
        sample = _sample(units, leading, seed)
        kinds = [Shingle(*_parsed(kind), reading) for kind in SUGGESTED]
        if len(leading) >= FEWEST_TO_PART:
            seen = _compare(part, of, units, leading, sample, kinds, workers, stages)
        else:
            seen = []
    found = _suggestion(collection, part, of, units, leading, sample, seen)
    return replace(found, ignore=reading.ignore, tokens=reading.tokens)


class _Units(NamedTuple):
    """All units that are read: digests (uint64, n x 2), places (see `Units`), words, and which have one (int64)."""

    digests: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    filled: npt.NDArray[np.int64]


def _parsed(kind: str) -> tuple[str, int]:
    name, _, size = kind.partition(":")
    return name, int(size)


def _read(part: Part, unit: Unit, reading: Reading, bound: int | None, threads: int, stages: Progress) -> _Units:
    """Read the digests of all units."""
    digests, places, words, count = [], [], [], 0
    how: dict[str, Any] = {"unit": unit, "threads": threads, "progress": stages.stage("read", len(part.texts))}
    for block, _ in hash_texts(part.texts, Shingle("words", 1, reading), lambda _: None, **how):
        digests.append(block.digests)
        places.append(block.places)
        words.append(np.diff(block.offsets))
        count += len(block.digests)
        needed = READ_UNIT_BYTES[unit.whole] * count + threads * COMPARED_BLOCK_BYTES
        if bound is not None and needed > bound:
            raise ParameterError(
                f"memory: expected about {written(needed)} or more for {count:,} {unit}s and {threads} threads, found "
                f"{given(bound)}; give more memory, or fewer threads"
            )
    width = unit.place_columns
    sizes = np.concatenate([np.empty(0, dtype=np.int64), *words])
    return _Units(
        np.concatenate([np.empty((0, 2), dtype=np.uint64), *digests]),
        np.concatenate([np.empty((0, width), dtype=np.int64), *places]),
        sizes,
        np.flatnonzero(sizes),
    )


def _sample(units: _Units, leading: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Return the units with the smallest mixed digests, ascending: the same ones in whatever order the texts are."""
    wanted = min(len(leading), SAMPLED_UNITS)
    keys = (units.digests[leading, 0] ^ np.uint64(seed)) * DIGEST_MIXER
    smallest = np.argpartition(keys, wanted - 1)[:wanted] if wanted else np.empty(0, dtype=np.int64)
    return np.sort(leading[smallest])


class _Kind(NamedTuple):
    """One kind of shingle, the usual number of them in a text, a limit of hashes, the indexed sample, what was seen."""

    shingle: Shingle
    usual: float
    limit: int
    known: SampleIndex
    seen: Similarities


def _compare(
    part: Part,
    unit: Unit,
    units: _Units,
    leading: npt.NDArray[np.int64],
    sample: npt.NDArray[np.int64],
    kinds: list[Shingle],
    threads: int,
    stages: Progress,
) -> list[_Kind]:
    """Compare the sample with all leading units, by each kind of shingle that is not too long for them."""
    own = np.full(len(units.words), -1, dtype=np.int64)
    own[sample] = np.arange(len(sample))
    led = np.zeros(len(units.words), dtype=np.bool_)
    led[leading] = True
    words = float(np.median(units.words[sample]))
    compared = []
    for shingle, usual, limit, sets in _sets(part, unit, units, sample, kinds):
        length = words if shingle.kind == "words" else usual + shingle.size - 1
        if length >= SIZES_IN_TEXT * shingle.size or str(shingle) == SUGGESTED[-1]:
            compared.append(_Kind(shingle, usual, limit, index_sample(sets), nothing_seen(len(sample))))
    chosen, limits = [kind.shingle for kind in compared], [kind.limit for kind in compared]
    of_kind = {kind.shingle: kind for kind in compared}
    starts = np.searchsorted(units.places[:, 0], np.arange(len(part.texts) + 1))

    def work(load: Callable[[], Block]) -> tuple[int, list[tuple[Shingle, Similarities]]]:
        block = load()
        begin, end = int(starts[block.first]), int(starts[block.first + len(block.starts)])
        rows = np.flatnonzero(led[begin:end])
        made = []
        for shingle, hashes in hash_kinds(block, chosen, limits, rows, unit):
            seen = see_rows(hashes, own[begin:end][rows], of_kind[shingle].known)
            found = seen.partner >= 0
            seen.partner[found] = begin + rows[seen.partner[found]]
            made.append((shingle, seen))
        texts_read = len(block.starts)
        block.release()
        return texts_read, made

    report, done = stages.stage("compare", len(part.texts)), 0
    for count, made in map_blocks(work, part.texts.loads(), threads, ahead=1):
        for shingle, some in made:
            of_kind[shingle].seen.add(some)
        done += count
        report(done)
    return compared


def _sets(
    part: Part, unit: Unit, units: _Units, sample: npt.NDArray[np.int64], kinds: list[Shingle]
) -> Iterator[tuple[Shingle, float, int, HashRows]]:
    """Yield each kind of shingle, their usual number, a limit, and the hashes of the sampled units below it."""
    from dedup.kernels.sets import distinct

    places = units.places[sample]
    documents = sorted_unique(places[:, 0])
    lengths = part.lengths[places[:, 0]] if unit.whole else places[:, 3] - places[:, 2]
    usual_length = {"words": float(np.median(units.words[sample])), "chars": float(np.median(lengths))}
    first = [limit_of(usual_length[kind.kind], SAMPLED_HASHES) for kind in kinds]
    wanted = {(int(place[0]), 0 if unit.whole else int(place[1])) for place in places}
    found: dict[Shingle, list[HashRows]] = {kind: [] for kind in kinds}
    for block in part.texts.some(documents).blocks():
        counts = _counts(units, documents, block)
        of = np.repeat(documents[block.first : block.first + len(counts)], counts)
        number = np.concatenate([np.arange(count) for count in counts])
        chosen = [each in wanted for each in zip(of.tolist(), number.tolist(), strict=True)]
        for shingle, rows in hash_kinds(block, kinds, first, np.flatnonzero(chosen), unit):
            sizes = np.zeros(len(rows.offsets) - 1, dtype=np.int64)
            distinct(rows.values, rows.offsets, sizes, np.arange(len(sizes), dtype=np.int64))
            found[shingle].append(
                _kept(rows, np.arange(len(rows.values)) < np.repeat(rows.offsets[:-1] + sizes, rows.sizes))
            )
    for kind, limit in zip(kinds, first, strict=True):
        joined = _joined(found[kind])
        usual = float(np.median(joined.sizes)) * EVERY_HASH / limit
        lower = min(limit, limit_of(usual))
        if lower < limit:
            joined = _kept(joined, (joined.values & np.uint64(EVERY_HASH - 1)) < np.uint64(lower))
        yield kind, usual, lower, joined


def _kept(rows: HashRows, chosen: npt.NDArray[np.bool_]) -> HashRows:
    """Return the rows with the chosen hashes."""
    before = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum(chosen, out=before[1:])
    return HashRows(rows.values[chosen], before[rows.offsets])


def _joined(blocks: list[HashRows]) -> HashRows:
    """Return the rows of all blocks."""
    sizes = np.concatenate([rows.sizes for rows in blocks])
    return HashRows(np.concatenate([rows.values for rows in blocks]), np.concatenate([[0], np.cumsum(sizes)]))


def _counts(units: _Units, documents: npt.NDArray[np.int64], block: Block) -> list[int]:
    """Return how many units each document of a block of the sampled documents has."""
    some = documents[block.first : block.first + len(block.starts)]
    bounds = np.searchsorted(units.places[:, 0], np.column_stack((some, some + 1)))
    return (bounds[:, 1] - bounds[:, 0]).tolist()  # type: ignore[no-any-return]


def _suggestion(
    texts: Texts,
    part: Part,
    unit: Unit,
    units: _Units,
    leading: npt.NDArray[np.int64],
    sample: npt.NDArray[np.int64],
    compared: list[_Kind],
) -> Suggestion:
    """Return the suggestion: the best parting, or a default."""
    compared = sorted(compared, key=lambda kind: SUGGESTED.index(str(kind.shingle)))
    seen = [Seen(kind.seen.counts, kind.usual, part.share) for kind in compared]
    every = [partings(number, each, len(leading)) for number, each in enumerate(seen)]
    best = best_of([parting for some in every for parting in some])
    names = [str(kind.shingle) for kind in compared]
    if best is not None:
        shown, threshold = best.kind, min(max(round(best.level / BINS, 2), 0.01), 1.0)
        shingle = names[shown]
        reason = _reason(best, compared[shown], threshold, len(sample), part.among(len(texts), unit))
    else:
        fits = unit.shingle in names or not compared
        shingle, threshold = (unit.shingle, 0.8) if fits else (SUGGESTED[-1], 0.6)
        shown = names.index(shingle) if compared else -1
        what = f"no pairs of the {len(sample):,} sampled {unit}s stand clearly apart from what unrelated ones share"
        few = f"{len(leading):,} different {unit}s are too few to tell what unrelated ones share"
        default = (
            "this is the default" if fits else f"since the {unit}s are too short for {unit.shingle}, this is a guess"
        )
        reason = f"{what if compared else few}; {default}, not adapted to the texts"
    closest = compared[shown].seen if shown >= 0 else nothing_seen(0)
    places = np.column_stack((part.rows[units.places[:, 0]], units.places[:, 1:]))
    samples, beginnings = samples_of(texts, unit, places, sample, closest, threshold)
    return Suggestion(
        unit=str(unit),
        shingle=shingle,
        threshold=threshold,
        metric="jaccard",
        reason=reason,
        found=best is not None,
        estimate=None if best is None else round(best.estimate, 3),
        texts=len(leading),
        sampled=len(sample),
        histogram=histogram([(str(kind.shingle), kind.seen.counts) for kind in compared], every, best),
        samples=samples,
        beginnings=beginnings,
    )


def _reason(best: Parting, kind: _Kind, threshold: float, sampled: int, among: str) -> str:
    """Return why a parting was chosen, in words."""
    level = round(threshold * BINS)
    pairs = int(kind.seen.counts[:, level:].sum())
    wrong = min(float(best.unrelated[level]), pairs)
    return (
        f"{sampled:,} {among}, and have {pairs:,} partners with a Jaccard "
        f"similarity of {threshold:g} or more ({kind.shingle}), where about {wrong:,.0f} unrelated ones are expected; "
        "no other kind of shingle parts them more clearly"
    )
