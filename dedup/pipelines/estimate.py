"""What a search would do and take, without doing it: a sample of the texts is searched, the rest is arithmetic."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from dedup.errors import InputError
from dedup.options import check_memory
from dedup.pipelines.find import find_duplicates
from dedup.pipelines.measure import Size, measure, outline_of, sample_of
from dedup.pipelines.memory import FilePlan, plan_for
from dedup.pipelines.query import Query
from dedup.runtime.memory import written
from dedup.runtime.threads import thread_count
from dedup.sources.coerce import read_texts
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.texts import Texts

__all__ = ["Estimate", "estimate"]

USUAL_SHINGLE_BYTES = 11
"""What a held shingle takes as a rule (9 to 12 were measured); a bound is planned with more."""

SECOND_READING = 0.75
"""Of the time of a whole search, what one more reading of the texts takes."""


BY_WAY_OF_DISK = 0.15
"""Of the time of a whole search, what it takes longer where the hashes go to disk and back."""


TRIALS = 3
"""Searches of a sample, of which the fastest counts."""

TIMED_TEXTS = 4096
"""Texts of a collection in memory that are searched to see how long it takes."""

LARGE = 2.0
"""What a text takes longer in a large collection than in a sample, which fits the cache: 1.5 to 3 were measured."""

PARALLEL = 0.8
"""Of a thread's work, what each further one does beside it."""

ENGINES = {
    "memory": ", and their hashes are held",
    "passes": ", and no hashes go to a work directory",
    "disk": ", and their hashes go to a work directory",
}
"""What `Estimate.engine` means, for people."""


@dataclass(frozen=True, repr=False)
class Estimate:
    """What `find_duplicates` would do and take; made by `dedup.estimate`. Two are equal where all but the seconds are.

    Attributes
    ----------
    method : "exact" or "lsh"
    engine : "memory" (everything is held), "passes" (a bound is too small for that: the texts are read several times,
        and nothing goes to disk), or "disk" (files are read once, and their hashes go to a work directory)
    passes : times that the texts are read
    texts, characters : how many
    units, shingles : documents, paragraphs or lines, and their shingles, by a sample
    memory : bytes above the caller's texts, at the peak
    bound : the bound that was asked for, in bytes, or None
    disk : bytes in the work directory; 0 where everything fits, and for texts in memory
    seconds : on this machine, by a sample that was searched just now; the one figure that is not the same every time
    """

    method: str
    engine: str
    passes: int
    texts: int
    characters: int
    units: int
    shingles: int
    memory: int
    bound: int | None
    disk: int
    seconds: float = field(compare=False)

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dict."""
        return asdict(self)

    def __repr__(self) -> str:
        again = "once" if self.passes == 1 else f"{self.passes} times"
        bound = "" if self.bound is None else f" (bound: {written(self.bound)})"
        return (
            f"{self.texts:,} texts, {self.characters:,} characters, about {self.shingles:,} shingles\n"
            f"method {self.method}, the texts are read {again}{ENGINES[self.engine]}\n"
            f"about {written(self.memory)} of memory{bound}, {self.seconds:.1f} s, "
            f"{f'about {written(self.disk)} on disk' if self.disk else 'nothing on disk'}"
        )


def estimate(
    texts: Any,
    *,
    unit: str = "document",
    threshold: float = 0.8,
    metric: str = "jaccard",
    shingle: str | None = None,
    method: str = "auto",
    ids: Iterable[Any] | None = None,
    column: str | None = None,
    id: str | None = None,
    recall: float = 0.999,
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
) -> Estimate:
    """Say what `find_duplicates` would do with these texts and options, and what it would take, without doing it.

    The parameters are those of `dedup.find_duplicates`. Memory and time are forecasts from a sample of evenly spaced
    texts: families that the sample does not show cost more. Raises what the search would raise for its options, and
    `ParameterError` where `memory` is too small whatever is found.

    >>> plan = estimate(["one text of a few words", "another text of a few words"])
    >>> plan.method, plan.passes, plan.texts, plan.disk
    ('exact', 1, 2, 0)
    """
    asked: dict[str, Any] = {"unit": unit, "threshold": threshold, "metric": metric, "shingle": shingle}
    asked |= {"method": method, "recall": recall, "hash_key": hash_key}
    query = Query.check(**asked)
    workers, bound = thread_count(threads), check_memory(memory)
    if isinstance(texts, str):
        if query.unit.whole:
            raise InputError(
                'expected a collection of texts, found one str; pass [text], or use unit="paragraph" or "line"'
            )
        texts = [texts]
    collection = read_texts(texts, ids=ids, column=column, id=id)
    seen = _look(collection, query, bound, workers, asked)
    if bound is not None and isinstance(collection, FileTexts):
        return _estimate_files(seen, query, FilePlan(bound, workers))
    plan = plan_for(seen.size, bound, workers)
    needed = plan.fixed + USUAL_SHINGLE_BYTES * seen.size.shingles
    if plan.one_pass:
        return seen.told("memory", 1, needed, seconds=seen.seconds)
    assert bound is not None
    passes = plan.readings(query.threshold)
    seconds = seen.seconds * (1.0 + SECOND_READING * (passes - 1))
    return seen.told("passes", passes, min(needed, bound), seconds=seconds)


def _estimate_files(seen: _Seen, query: Query, plan: FilePlan) -> Estimate:
    """Return the estimate for files under a bound: they are read once, and what does not fit goes to disk."""
    size, bound = seen.size, plan.memory
    assert bound is not None
    plan.check_reading(size.longest)
    needed = plan_for(size, None, plan.threads).fixed + USUAL_SHINGLE_BYTES * size.shingles
    if plan.holds(size.units, size.shingles, size.longest):
        return seen.told("memory", 1, needed, seconds=seen.seconds)
    disk = plan.disk(size.units, size.shingles, unit=query.unit)
    return seen.told("disk", 1, min(needed, bound), disk=disk, seconds=seen.seconds * (1.0 + BY_WAY_OF_DISK))


class _Seen(NamedTuple):
    """What a sample says, whatever searches the texts."""

    method: str
    size: Size
    bound: int | None
    seconds: float

    def told(self, engine: str, passes: int, memory: int, *, disk: int = 0, seconds: float) -> Estimate:
        """Return the estimate."""
        size = self.size
        counts = (size.texts, size.characters, size.units, size.shingles)
        return Estimate(self.method, engine, passes, *counts, memory, self.bound, disk, seconds)


def _look(collection: Texts, query: Query, bound: int | None, threads: int, asked: dict[str, Any]) -> _Seen:
    """Return how large a collection is, and how long one reading and the search would take."""
    find_duplicates(["a warm up of a few words"], threads=threads, **asked)  # kernels are compiled
    collection.bound(bound)
    outline = collection.outline() if isinstance(collection, FileTexts) else None
    outline = outline_of(collection) if outline is None else outline
    size = measure(outline, query.shingle, unit=query.unit)
    sample = outline.sample if collection.sources is not None else sample_of(collection, TIMED_TEXTS)
    method = "lsh" if query.method == "lsh" else "exact"
    return _Seen(method, size, bound, _seconds(sample, size.characters, threads, asked))


def _seconds(sample: Texts, characters: int, threads: int, options: dict[str, Any]) -> float:
    """Return how long a search of so many characters takes, by how long a sample takes.

    Of the processor's time, not the clock's, so that other work on the machine does not count.
    """
    texts = [sample[row] for row in range(len(sample))]

    def spent(texts: list[str]) -> float:
        times = []
        for _ in range(TRIALS):
            start = time.process_time()
            find_duplicates(texts, threads=threads, **options)
            times.append(time.process_time() - start)
        return min(times)

    seconds, sampled = spent(texts), sum(map(len, texts))
    if sampled >= characters or not sampled:
        return seconds
    fixed = min(spent(texts[:1]), seconds / 2)
    return fixed + (seconds - fixed) * LARGE * characters / sampled / (1 + PARALLEL * (threads - 1))
