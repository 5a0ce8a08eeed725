"""The order of the stages of a distributed search, for every engine.

notes -> marks -> survivors -> sets -> counts -> prefixes -> meetings -> candidates -> pairs -> linked units -> families

The driver holds what is said of units that are in a pair or have an exact copy: some hundred bytes each. Of the other
units it sees the keys of those that were held, once.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.clusters.looks import Looks
from dedup.clusters.stars import components
from dedup.distributed.candidates.counts import Count, Slots
from dedup.distributed.candidates.marks import Mark, Survive
from dedup.distributed.candidates.meetings import Candidates, Meet
from dedup.distributed.candidates.notes import FACTS, Note
from dedup.distributed.candidates.prefixes import Prefix
from dedup.distributed.candidates.sets import Hold, Send
from dedup.distributed.job import ACROSS, GIVEN, ID, Engine, Job
from dedup.distributed.texts.files import FileInput
from dedup.distributed.texts.linked import Describe, Fetch, Given, Telling
from dedup.distributed.texts.told import heard
from dedup.distributed.transport.keys import Bloom, Keys, places_of
from dedup.distributed.transport.rows import Row, rows_of
from dedup.distributed.transport.sketches import SKETCHED, joined_sketches
from dedup.distributed.verified import Families, JoinFamilies, KeyPairs, Verify, apart_in, tasks_of
from dedup.errors import InputError, ParameterError
from dedup.hashing.sketches import Sketcher
from dedup.options import shown
from dedup.pairs.kept_apart import Apart

__all__ = ["Copies", "Found", "Linked", "join_families", "search"]

SEEDS = 4
"""Times that a job begins again because two ids have one key. Twice is less likely than a fault of the machine."""

SHOWN_IDS = 3
"""Ids. A message shows so many."""

Rows = npt.NDArray[np.int64]


class Copies(NamedTuple):
    """Exact copies: `keys` of all units that have one, ascending, and the key that stands for all copies of each."""

    keys: Keys
    leaders: Keys

    def of(self, leaders: Keys) -> Copies:
        """Return the copies of some leaders."""
        own = np.isin(self.leaders, leaders)
        return Copies(self.keys[own], self.leaders[own])


class Linked(NamedTuple):
    """What is told of the units in pairs and of copies (`dedup.distributed.texts.linked`), as one Arrow table."""

    table: pa.Table

    @property
    def keys(self) -> Keys:
        """The key of each."""
        return self.numbers("key")

    def numbers(self, name: str) -> npt.NDArray[np.uint64]:
        """Return a column of 64-bit values."""
        return np.asarray(self.table.column(name).to_numpy(), dtype=np.int64).view(np.uint64)


class Found(NamedTuple):
    """What was found before priorities are known.

    Attributes
    ----------
    job : with the seed that made all keys differ
    facts, right : what was counted (`dedup.distributed.candidates.notes.FACTS`): of all texts, of those of side 1
    copies : the exact copies
    pairs : pairs of leaders, those that are kept apart included
    family, family_of : the members of families that are to be joined (keys, ascending), and the family of each
    linked : what is told of all units in a pair, of copies, and of the members of families
    sets : the held sets, for `join_families`
    sketcher : has seen all units
    """

    job: Job
    facts: dict[str, int]
    right: dict[str, int]
    copies: Copies
    pairs: KeyPairs
    family: Keys
    family_of: Rows
    linked: Linked
    sets: Any
    sketcher: Sketcher


NOTHING_MORE = pa.schema([])


def search(engine: Engine, texts: Any, job: Job, kind: pa.DataType, more: pa.Schema = NOTHING_MORE) -> Found:
    """Find the pairs of units. `texts` has the columns of `dedup.distributed.job`; `kind` is the type of ids.

    `more` are the other columns that are told of linked units; for a `FileInput`, the files tell which there are. The
    caller drops `sets`. Raises `InputError` if ids are null or not unique, and what `FileInput.hear` raises.
    """
    job, survivors, copies, kinds = _survivors(engine, texts, job, kind)
    facts, right_facts = (_sum(kinds.get("facts", []), name) for name in ("facts", "right"))
    if isinstance(texts, FileInput):
        more = texts.hear(heard(kinds.get("told", [])), facts["filled"])
        _check_given(engine, texts, job, _keys_in(kinds, "repeated given", "keys"), kind, more)
    looks = Looks(job.keep)
    for row in kinds.get("looks", []):
        looks.merge(pickle.loads(row["looks"].tobytes()))  # noqa: S301  (a stage of this job wrote it)
    looks.check()
    telling = Telling(job, kind, more)
    stage = Hold(job, Bloom.of(survivors), Bloom.of(copies.keys) if len(copies.keys) else None, telling)
    sets = engine.hold(engine.map(texts, stage, "hold"))
    left, right, links = _candidates(engine, sets, job)
    lead = ~np.isin(np.concatenate((left, right)), copies.keys[copies.keys != copies.leaders])
    leading = lead[: len(left)] & lead[len(left) :]  # a copy may have passed the filter: its leader did too
    pairs = _verified(engine, sets, job, *_by_component(left[leading], right[leading]))
    links = links[~np.isin(links, copies.keys[copies.keys != copies.leaders]).any(axis=1)]
    family, family_of = _families(links, pairs)
    inside = (places_of(pairs.left, family) >= 0) & (places_of(pairs.right, family) >= 0)
    pairs = pairs.take(~inside)
    wanted = np.concatenate((pairs.left, pairs.right, family))
    if job.across:  # copies of one label are no pair by themselves
        copies = copies.of(wanted)
    linked = _described(engine, sets, Describe(telling, np.unique(np.concatenate((wanted, copies.keys)))))
    return Found(
        job,
        facts,
        right_facts,
        copies,
        pairs,
        family,
        family_of,
        linked,
        sets,
        joined_sketches(kinds.get(SKETCHED, [])),
    )


def _sum(rows: list[Row], name: str) -> dict[str, int]:
    """Return what was counted in all tasks."""
    total = np.zeros(len(FACTS), dtype=np.int64)
    for row in rows:
        total = total + row[name]
    return dict(zip(FACTS, total.tolist(), strict=True))


def _survivors(
    engine: Engine, texts: Any, job: Job, kind: pa.DataType
) -> tuple[Job, Keys, Copies, dict[str, list[Row]]]:
    """Return the job, the leading units that may be in a pair, the copies, and all rows by kind."""
    for seed in range(SEEDS):
        job = replace(job, seed=seed)
        noted = engine.shuffle(engine.map(texts, Note(job), "note"))
        marked = engine.shuffle(engine.map(noted, Mark(job), "mark"))
        kinds = _by_kind(engine.collect(engine.map(marked, Survive(job), "survive")))
        for row in kinds.get("fault", []):
            raise ParameterError(row["message"].tobytes().decode())
        nulls = sum(int(row["count"][0]) for row in kinds.get("nulls", []))
        if nulls:
            raise InputError(
                f"id: expected an id in every row, found none in {nulls:,}; drop these rows, or give them ids"
            )
        repeated = _keys_in(kinds, "repeated" if job.unit.whole else "repeated documents", "keys")
        if len(repeated):
            _check_ids(engine, texts, job, repeated, kind)
        elif not len(_keys_in(kinds, "repeated", "keys")):
            break
    else:
        raise InputError(f"id: expected different ids, found {SEEDS} times two ids of one hash; report this")
    copies = _copies(kinds.get("copies", []))
    survivors = _keys_in(kinds, "survivors", "keys")
    others = copies.keys[copies.keys != copies.leaders]
    survivors = survivors[~np.isin(survivors, others)]
    return job, survivors, copies, kinds


def _check_ids(engine: Engine, texts: Any, job: Job, keys: Keys, kind: pa.DataType) -> None:
    """Raise `InputError` if two documents with one key have one id: else the key was met by chance."""
    found = [batch.column(ID) for batch in engine.collect(engine.map(texts, Fetch(job, np.sort(keys), kind), "ids"))]
    ids = pa.chunked_array(found, type=kind).to_pylist()
    seen: set[Any] = set()
    again = sorted({each for each in ids if each in seen or seen.add(each)})  # type: ignore[func-returns-value]
    if again:
        some = ", ".join(map(shown, again[:SHOWN_IDS])) + (", ..." if len(again) > SHOWN_IDS else "")
        raise InputError(
            f"id: expected each id once, found {len(again):,} in more than one row: {some}; make the ids unique"
        )


def _check_given(engine: Engine, texts: FileInput, job: Job, keys: Keys, kind: pa.DataType, more: pa.Schema) -> None:
    """Raise `InputError` if two records have one id that the user gave; else keys were met by chance."""
    if len(keys):
        stage = Given(job, np.sort(keys), kind, more.field(GIVEN).type)
        found = list(engine.collect(engine.map(texts, stage, "ids")))
        texts.check_given(pa.Table.from_batches(found, schema=stage.schema))


def _candidates(engine: Engine, sets: Any, job: Job) -> tuple[Keys, Keys, npt.NDArray[np.uint64]]:
    """Return the candidates (left, right), and the links between the members of families."""
    slots = engine.shuffle(engine.map(sets, Slots(job), "slots"))
    counted = engine.shuffle(engine.map(slots, Count(job), "count"))
    entries = engine.shuffle(engine.map(counted, Prefix(job), "prefixes"))
    met = engine.shuffle(engine.map(entries, Meet(job), "meet"))
    kinds = _by_kind(engine.collect(engine.map(met, Candidates(job), "candidates")))
    links = np.column_stack((_keys_in(kinds, "links", "left"), _keys_in(kinds, "links", "right")))
    return _keys_in(kinds, "candidates", "left"), _keys_in(kinds, "candidates", "right"), np.unique(links, axis=0)


def _by_component(left: Keys, right: Keys) -> tuple[Keys, Keys]:
    """Return the candidates, those of one connected component one after the other."""
    units, numbers = np.unique(np.concatenate((left, right)), return_inverse=True)
    one, other = (each.astype(np.int32) for each in np.split(numbers.ravel(), 2))
    root = components(len(units), [(one, other)])
    order = np.lexsort((other, one, root[one]))
    return left[order], right[order]


def _verified(engine: Engine, sets: Any, job: Job, left: Keys, right: Keys) -> KeyPairs:
    """Return the candidates that reach the threshold."""
    if not len(left):
        return KeyPairs.of([])
    bounds = tasks_of(len(left), 4 * job.parts)
    task = np.repeat(np.arange(len(bounds) - 1, dtype=np.int64), np.diff(bounds))
    send = Send.to(np.concatenate((left, right)), np.concatenate((task, task)))
    sent = engine.shuffle(engine.map(sets, send, "send"))
    return KeyPairs.of(rows_of(engine.collect(engine.map(sent, Verify(job, left, right, bounds), "verify"))))


def _families(links: npt.NDArray[np.uint64], pairs: KeyPairs) -> tuple[Keys, Rows]:
    """Return the members of families (ascending), and the number of the family of each.

    A family is what links and pairs connect, if a link is among them: what becomes of a unit depends on no other.
    """
    if not len(links):
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    ends = np.concatenate((links[:, 0], links[:, 1], pairs.left, pairs.right))
    units, numbers = np.unique(ends, return_inverse=True)
    cuts = np.cumsum((len(links), len(links), len(pairs.left)))
    a, b, c, d = (each.astype(np.int32) for each in np.split(numbers.ravel(), cuts))
    root = components(len(units), [(a, b), (c, d)])
    inside = np.isin(root, root[a])
    return units[inside], np.unique(root[inside], return_inverse=True)[1].astype(np.int64).ravel()


def _described(engine: Engine, sets: Any, stage: Describe) -> Linked:
    """Return what is told of some units, each once, in the order of their ids and places."""
    keys = stage.keys
    found = list(engine.collect(engine.map(sets, stage, "describe"))) if len(keys) else []
    table = pa.Table.from_batches(found, schema=stage.schema)
    order = [(name, "ascending") for name in ((ACROSS, ID, "number") if stage.telling.job.sides else (ID, "number"))]
    linked = Linked(table.sort_by(order))
    assert len(linked.table) == len(keys), "the input is the same each time it is read"
    return linked


def join_families(engine: Engine, found: Found, members: Families, large: int | None) -> tuple[KeyPairs, Keys, Apart]:
    """Return the pairs of the families, the kept units of those that are listed in part, and the pairs kept apart."""
    if not len(found.family):
        return KeyPairs.of([]), np.empty(0, dtype=np.uint64), apart_in([])
    sent = engine.shuffle(engine.map(found.sets, Send.to(found.family, found.family_of), "send"))
    stage = JoinFamilies(found.job, members, large)
    kinds = _by_kind(engine.collect(engine.map(sent, stage, "families")))
    return KeyPairs.of(kinds.get("pairs", [])), _keys_in(kinds, "large", "keys"), apart_in(kinds.get("apart", []))


def _copies(rows: Iterable[Row]) -> Copies:
    """Return the copies; the smallest key stands for all."""
    keys = [np.empty(0, dtype=np.uint64)]
    leaders = [np.empty(0, dtype=np.uint64)]
    for row in rows:
        sizes = row["sizes"].astype(np.int64)
        keys.append(row["keys"])
        leaders.append(np.repeat(row["keys"][np.cumsum(sizes) - sizes], sizes))  # each ascends
    every, lead = np.concatenate(keys), np.concatenate(leaders)
    order = np.argsort(every)
    return Copies(every[order], lead[order])


def _by_kind(batches: Iterator[pa.RecordBatch]) -> dict[str, list[Row]]:
    kinds: dict[str, list[Row]] = {}
    for row in rows_of(batches):
        kinds.setdefault(row.kind, []).append(row)
    return kinds


def _keys_in(kinds: dict[str, list[Row]], kind: str, name: str) -> Keys:
    return np.concatenate([np.empty(0, dtype=np.uint64), *(row[name] for row in kinds.get(kind, []))])
