"""Forecast the plan, memory and time of a search: a sample of the texts is searched, the rest is arithmetic."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from dedup.edit.join import bytes_needed
from dedup.option_types import DistinctOption, Id, IgnoreOption, MethodOption, MetricOption, TokensOption, UnitOption
from dedup.options import check_memory
from dedup.pipelines.find import find_duplicates
from dedup.pipelines.memory import FilePlan, TextPlan, plan_for, room_for_edits
from dedup.pipelines.query import Query
from dedup.runtime.memory import written
from dedup.runtime.threads import thread_count
from dedup.sampling.measure import Size, measure, outline_of, sample_of
from dedup.sources.coerce import in_a_list, read_texts
from dedup.sources.files.file_texts import FileTexts
from dedup.sources.texts import Texts
from dedup.threshold import Metric

__all__ = ["Estimate", "estimate"]

USUAL_SHINGLE_BYTES = 11
"""Bytes per shingle in memory, usually (9 to 12 were measured). A search with a bound is planned with more."""

SECOND_READING = 0.75
"""Share of the time of a complete search that each further reading of the texts adds."""


THROUGH_DISK = 0.15
"""Share of the time of a complete search that is added if the hashes are written to disk and read again."""


TRIALS = 3
"""Searches. The sample is searched so many times, and the fastest search is used."""

TIMED_TEXTS = 4096
"""Texts. So many texts of a collection in memory are searched to measure the time."""

LARGE = 2.0
"""Factor. A text takes so much longer in a large collection than in a sample, which fits in the cache (1.5 to 3 were
measured)."""

PARALLEL = 0.8
"""Share of the work of one thread that each further thread adds."""

ENGINES = {
    "memory": "; all hashes fit into memory",
    "passes": "; not all hashes fit into memory",
    "disk": "; hashes are written to a work directory",
}
"""What `Estimate.engine` means, for people."""


@dataclass(frozen=True, repr=False)
class Estimate:
    """The forecast of a `find_duplicates`, made by `dedup.estimate`. Equality ignores `seconds`.

    Attributes
    ----------
    method : "exact" or "lsh"
    engine : "memory" (all hashes are in memory), "passes" (they do not fit in the bound: the texts are read several
        times, and nothing is written to disk), or "disk" (files are read once, and hashes are written to a work
        directory)
    passes : how often the texts are read
    texts, characters : number of texts and of characters
    units, shingles : number of documents, paragraphs or lines, and of their shingles, estimated from a sample
    memory : peak bytes in addition to the caller's texts
    bound : the `memory` option in bytes, or None
    disk : bytes in the work directory; 0 if all hashes fit in memory, and for texts in memory
    seconds : time on this machine, from a search of a sample; the only value that differs from call to call
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
    unit: UnitOption = "document",
    threshold: float = 0.8,
    metric: MetricOption = "jaccard",
    shingle: str | None = None,
    method: MethodOption = "auto",
    ids: Iterable[Id] | None = None,
    column: str | Sequence[str] | None = None,
    id: str | None = None,
    recall: float = 0.999,
    distinct: DistinctOption = (),
    within: str | Sequence[Any] | None = None,
    across: str | Sequence[Any] | None = None,
    ignore: IgnoreOption = (),
    tokens: TokensOption = "words",
    hash_key: bytes | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
) -> Estimate:
    """Forecast the method, memory and time of `find_duplicates` with these texts and options.

    The parameters are those of `dedup.find_duplicates`. Memory and time are computed from a sample of evenly spaced
    texts; if the collection has families that are not in the sample, the search costs more. `within` and `across` are
    checked, but the sample is searched without them. Raises the errors that the
    search would raise for its options, and `ParameterError` if `memory` is certainly too small.

    >>> plan = estimate(["one text of a few words", "another text of a few words"])
    >>> plan.method, plan.passes, plan.texts, plan.disk
    ('exact', 1, 2, 0)
    """
    asked: dict[str, Any] = {"unit": unit, "threshold": threshold, "metric": metric, "shingle": shingle}
    asked |= {"method": method, "recall": recall, "distinct": distinct, "hash_key": hash_key}
    asked |= {"ignore": ignore, "tokens": tokens}
    query = Query.check(**asked, within=within, across=across)
    workers, bound = thread_count(threads), check_memory(memory)
    texts = in_a_list(texts, query.unit)
    extra = {name: option for option, name in reversed(query.other_columns)}
    collection = read_texts(texts, ids=ids, column=column, id=id, extra=extra, placed=False)
    if isinstance(collection, FileTexts):
        query.labels.check_named()
        for option, name in query.other_columns:
            collection.check_column(name, option)
    else:
        query.labels.read(collection)
    seen = _look(collection, query, bound, workers, asked)
    if query.threshold.metric is Metric.EDIT:
        return _estimate_edits(collection, seen, bound, workers)
    if bound is not None and isinstance(collection, FileTexts):
        return _estimate_files(seen, query, _file_plan(seen.size, bound, workers))
    plan = plan_for(seen.size, bound, workers)
    needed = plan.fixed + USUAL_SHINGLE_BYTES * seen.size.shingles
    if plan.one_pass:
        return seen.estimate("memory", 1, needed, seconds=seen.seconds)
    assert bound is not None
    passes = plan.readings(query.threshold)
    seconds = seen.seconds * (1.0 + SECOND_READING * (passes - 1))
    return seen.estimate("passes", passes, min(needed, bound), seconds=seconds)


def _estimate_edits(collection: Texts, seen: _Seen, bound: int | None, threads: int) -> Estimate:
    """Return the estimate of a search by edit distance: the characters of all texts are held."""
    size = seen.size
    if bound is not None and isinstance(collection, FileTexts):
        files = _file_plan(size, bound, threads)
        files.check_reading(size.longest)
        plan: FilePlan | TextPlan = files
    else:
        plan = plan_for(size, bound, threads)
    room_for_edits(plan, size.units, size.shingles)
    needed = plan_for(size, None, threads).fixed + bytes_needed(size.units, size.shingles)
    return seen.estimate("memory", 1, needed, seconds=seen.seconds)


def _file_plan(size: Size, bound: int, threads: int) -> FilePlan:
    return FilePlan(bound, threads, forms=size.forms, rewritten=size.rewritten)


def _estimate_files(seen: _Seen, query: Query, plan: FilePlan) -> Estimate:
    """Return the estimate for files under a bound: they are read once; hashes that do not fit are written to disk."""
    size, bound = seen.size, plan.memory
    assert bound is not None
    plan.check_reading(size.longest)
    needed = plan_for(size, None, plan.threads).fixed + USUAL_SHINGLE_BYTES * size.shingles
    if plan.holds(size.units, size.shingles, size.longest):
        return seen.estimate("memory", 1, needed, seconds=seen.seconds)
    disk = plan.disk(size.units, size.shingles, unit=query.unit)
    return seen.estimate("disk", 1, min(needed, bound), disk=disk, seconds=seen.seconds * (1.0 + THROUGH_DISK))


class _Seen(NamedTuple):
    """The results of the sample, which do not depend on the engine."""

    method: str
    size: Size
    bound: int | None
    seconds: float

    def estimate(self, engine: str, passes: int, memory: int, *, disk: int = 0, seconds: float) -> Estimate:
        """Return the estimate."""
        size = self.size
        counts = (size.texts, size.characters, size.units, size.shingles)
        return Estimate(self.method, engine, passes, *counts, memory, self.bound, disk, seconds)


def _look(collection: Texts, query: Query, bound: int | None, threads: int, asked: dict[str, Any]) -> _Seen:
    """Return the size of a collection, and the time of a search that reads it once."""
    find_duplicates(["a warm up of a few words"], threads=threads, **asked)  # compiles the kernels
    collection.bound(bound)
    outline = collection.outline() if isinstance(collection, FileTexts) else None
    outline = outline_of(collection) if outline is None else outline
    size = replace(measure(outline, query.shingle, unit=query.unit), forms=query.held_forms)
    sample = outline.sample if collection.sources is not None else sample_of(collection, TIMED_TEXTS)
    method = "lsh" if query.method == "lsh" else "exact"
    power = 2 if query.threshold.metric is Metric.EDIT else 1
    return _Seen(method, size, bound, _seconds(sample, size.characters, threads, asked, power))


def _seconds(sample: Texts, characters: int, threads: int, options: dict[str, Any], power: int) -> float:
    """Return the time of a search of so many characters, computed from the time of a search of a sample.

    Time grows with this `power` of the characters.

    Processor time is measured, so that other work on the machine does not count.
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
    return fixed + (seconds - fixed) * LARGE * (characters / sampled) ** power / (1 + PARALLEL * (threads - 1))
