"""What a search would do and take, without doing it: a sample of the texts is searched, the rest is arithmetic."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from dedup.blocks import thread_count
from dedup.columns import read_texts
from dedup.corpus.budget import Budget
from dedup.corpus.collection import FileTexts
from dedup.errors import InputError
from dedup.find import find_duplicates
from dedup.marks import Sieve
from dedup.options import check_memory
from dedup.plan import measure, outline_of, plan_for, sample_of, written
from dedup.search import Question
from dedup.texts import Texts

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


@dataclass(frozen=True, repr=False)
class Estimate:
    """What `find_duplicates` would do and take; made by `dedup.estimate`. Two are equal where all but the seconds are.

    Attributes
    ----------
    method : "exact" or "lsh"
    passes : times that the texts are read (files: once, what does not fit goes to disk)
    texts, characters : how many
    units, shingles : documents, paragraphs or lines, and their shingles, by a sample
    memory : bytes above the caller's texts, at the peak
    bound : the bound that was asked for, in bytes, or None
    disk : bytes in the work directory; 0 where everything fits, and for texts in memory
    seconds : on this machine, by a sample that was searched just now; the one figure that is not the same every time
    """

    method: str
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
            f"method {self.method}, the texts are read {again}\n"
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
    question = Question.check(
        unit=unit,
        threshold=threshold,
        metric=metric,
        shingle=shingle,
        method=method,
        keep="first",
        pairs="auto",
        recall=recall,
        seed=1,
        hash_key=hash_key,
    )
    unit, threshold, metric, method = question.unit, question.threshold, question.metric, question.method
    workers, bound = thread_count(threads), check_memory(memory)
    if isinstance(texts, str):
        if unit == "document":
            raise InputError(
                'expected a collection of texts, found one str; pass [text], or use unit="paragraph" or "line"'
            )
        texts = [texts]
    collection = read_texts(texts, ids=ids, column=column, id=id)
    options: dict[str, Any] = {
        "unit": unit,
        "threshold": threshold,
        "metric": metric,
        "shingle": str(question.shingle),
        "method": method,
        "recall": question.recall,
        "hash_key": hash_key,
    }
    find_duplicates(["a warm up of a few words"], threads=workers, **options)  # kernels are compiled
    collection.bound(bound)
    outline = collection.outline() if isinstance(collection, FileTexts) else None
    outline = outline_of(collection) if outline is None else outline
    size = measure(outline, question.shingle, unit=unit)
    plan = plan_for(size, bound if collection.sources is None else None, workers)
    sample = outline.sample if collection.sources is not None else sample_of(collection, TIMED_TEXTS)
    seconds = _seconds(sample, size.characters, workers, options)
    passes, needed = 1, plan.fixed + USUAL_SHINGLE_BYTES * size.shingles
    budget = Budget(bound, workers)
    disk = 0
    if collection.sources is not None:
        budget.check_reading(size.longest)
    if collection.sources is not None and not budget.holds_all(size.units, size.shingles, size.longest):
        disk = budget.disk(size.units, size.shingles, unit=unit)
        needed = min(needed, bound or needed)
        seconds *= 1.0 + BY_WAY_OF_DISK
    elif collection.sources is None and bound is not None and not plan.one_pass:
        ranges = Sieve(size.shingles, threshold, whole=metric == "containment", room=plan.room // 2).ranges
        passes = 2 if ranges == 1 else 2 * ranges + 1
        needed = min(needed, bound)
        seconds *= 1.0 + SECOND_READING * (passes - 1)
    return Estimate(
        "lsh" if method == "lsh" else "exact",
        passes,
        size.texts,
        size.characters,
        size.units,
        size.shingles,
        needed,
        bound,
        disk,
        seconds,
    )


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
