"""What a search on Spark moves and takes, for more texts than can be tried: `python -m benchmarks.speed.spark_model`.

Three steps, one line of JSON each:

    sample      all stages over 40,000 generated texts in one process, cut as 16 tasks are: the bytes of each shuffle,
                the processor time of each stage, and from these the few numbers that the cost model needs (per text:
                notes, survivors, slots, entries, meetings, sent sets)
    model       the bytes of each shuffle for 10^8, 10^9, 10^10 texts, by the formulas in `Model`; tasks, parts, and the
                bytes that the largest task of each stage takes in
    simulated   a shuffle of 10^9 texts. All stages run over `--block` texts, the block of one task, cut into as many
                parts as 10^9 texts are: so each row has the size that it has there. Every task of the first side draws
                its rows from these sizes, and every task of the other side adds up what it gets

The last lines say how far the model is from the simulation, by shuffle and in all. Bytes are those of the rows, without
compression. Texts are those of `benchmarks.corpora.news`, of 2,000 bytes. Needs no Spark.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.corpora import named

TASK_TEXT: Final = 256 << 20
"""Bytes of text of a task."""

ROW_BYTES: Final = 24
"""Bytes of a row beside its body: part, kind, block and the offset of the body, as Arrow has them."""

SHUFFLES: Final = ("note", "mark", "slots", "count", "prefixes", "meet", "send")
SAMPLE: Final = 40_000


class Counting:
    """An engine in one process that keeps the size of every row that a shuffle moves: (part, bytes) by stage."""

    def __init__(self, tasks: int) -> None:
        self.tasks, self.last = tasks, ""
        self.moved: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.kinds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.cpu: dict[str, float] = defaultdict(float)

    def map(self, data: Any, stage: Any, name: str) -> Any:
        """Run a stage over each partition."""
        self.last, start = name, time.process_time()
        if isinstance(data, pa.Table):
            each = -(-len(data) // self.tasks)
            data = [data.slice(at, each).to_batches(max_chunksize=10_000) for at in range(0, len(data), each)]
        made = [list(stage(iter(part))) for part in data]
        self.cpu[name] += time.process_time() - start
        return made

    def shuffle(self, data: Any) -> Any:
        """Bring the rows of each part together."""
        found: dict[int, list[pa.RecordBatch]] = defaultdict(list)
        for batch in (batch for part in data for batch in part):
            parts, bodies = batch.column("part").to_numpy(), batch.column("body")
            sizes = np.diff(np.frombuffer(bodies.buffers()[1], dtype=np.int32)[: len(batch) + 1]) + ROW_BYTES
            self.moved[self.last] += zip(parts.tolist(), sizes.tolist(), strict=True)
            for kind, size in zip(batch.column("kind").to_pylist(), sizes.tolist(), strict=True):
                self.kinds[self.last][kind] += size
            for row, part in enumerate(parts.tolist()):
                found[part].append(batch.slice(row, 1))
        made: list[list[pa.RecordBatch]] = [[] for _ in range(self.tasks)]
        for part in sorted(found):
            made[part % self.tasks] += found[part]
        return made

    def hold(self, data: Any) -> Any:
        """Return the data."""
        return data

    def drop(self, data: Any) -> None:
        """Do nothing."""

    def collect(self, data: Any) -> Iterator[pa.RecordBatch]:
        """Yield all batches."""
        return (batch for part in data for batch in part)


def run(count: int, tasks: int, part_bits: int) -> Counting:
    """Run all stages over generated texts."""
    from dedup.distributed.job import ID, TEXT
    from dedup.distributed.order import search
    from dedup.spark.inputs import checked, job_of

    texts = named.corpus(count)
    table = pa.table({ID: pa.array(range(count), type=pa.int64()), TEXT: pa.array(texts, type=pa.string())})
    engine = Counting(tasks)
    job = replace(job_of(checked(), tasks), part_bits=part_bits)
    search(engine, table, job, pa.int64())  # type: ignore[arg-type]
    return engine


# -------------------------------------------------------------------------------------------- model


@dataclass(frozen=True)
class Model:
    """The cost model: what a text costs in each shuffle, from a few numbers of a sample.

    Attributes
    ----------
    notes, unique : noted hashes of a text, and those that no other text has
    survivors : share of texts whose sets are held
    slots, repeated : counted hashes of a survivor, and those of them that several units have
    rest : bytes of what else the prefix of a survivor may need
    entries : entries of the index, per text
    meetings : pairs that meet in a part, per text
    sent, set_bytes : sets that are sent, per text, and the bytes of one
    heads : bytes of a row without its arrays, by shuffle
    """

    notes: float
    unique: float
    survivors: float
    slots: float
    repeated: float
    rest: float
    entries: float
    meetings: float
    sent: float
    set_bytes: float
    heads: dict[str, float]

    def shuffles(self, texts: int, tasks: int, parts: int, block: int) -> dict[str, float]:
        """Return the bytes of each shuffle for so many texts, in blocks of `block` texts."""
        from dedup.distributed.transport.blocks import BLOCK_HASHES

        blocks = -(-texts // block)
        held = texts * self.survivors
        sets = tasks * -(-(held / tasks * self.set_bytes / 8) // BLOCK_HASHES)  # blocks of sets
        pairs = self.meetings * texts
        met_rows = parts * parts * -np.expm1(-pairs / parts**2)
        return {
            "note": texts * (4 * self.notes + 32 + 10 + places(self.notes, parts))
            + blocks * parts * self.heads["note"],
            "mark": texts * (10 + places(self.unique, parts)) + blocks * parts * self.heads["mark"],
            "slots": held * (4 * self.slots + places(self.slots, parts) + self.rest)
            + sets * parts * self.heads["slots"],
            "count": held * (5 * self.repeated + places(self.repeated, parts) + self.rest)
            + held * places(self.slots - self.repeated, parts)
            + sets * parts * self.heads["count"],
            "prefixes": texts * self.entries * 15 + min(sets * parts, texts * self.entries) * self.heads["prefixes"],
            "meet": pairs * 21 + met_rows * self.heads["meet"],
            "send": self.sent * texts * (self.set_bytes + self.heads["send"]),
        }


def places(each: float, parts: int) -> float:
    """Return the bytes a unit that tell which unit has how many of the hashes of all parts: gaps, or counts."""
    return float(min(parts, each / -np.expm1(-255 * each / parts)))  # a further byte for each 255 in a gap


def cut_for(texts: int, notes: float) -> tuple[int, int, int]:
    """Return the tasks, the parts and the texts of a block for so many texts."""
    from dedup.distributed.candidates.notes import NOTED_HASHES
    from dedup.spark.inputs import MOST_TASKS, checked, job_of

    tasks = min(max(texts * 2000 // TASK_TEXT, 2), MOST_TASKS)
    return tasks, 1 << job_of(checked(), tasks).part_bits, min(int(NOTED_HASHES / notes), -(-texts // tasks))


class Looking(Counting):
    """The same, and it counts what the model needs."""

    def __init__(self, tasks: int) -> None:
        super().__init__(tasks)
        self.counts: dict[str, float] = defaultdict(float)
        self.empty: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def shuffle(self, data: Any) -> Any:
        """Count the values in the rows, too."""
        from dedup.distributed.transport.blocks import units_of
        from dedup.distributed.transport.rows import rows_of

        counts, name = self.counts, self.last
        for batch in (batch for part in data for batch in part):
            bodies = np.diff(np.frombuffer(batch.column("body").buffers()[1], dtype=np.int32)[: len(batch) + 1])
            for row, size in zip(rows_of([batch]), bodies.tolist(), strict=True):
                arrays = row.arrays
                values = sum(each.nbytes for each in arrays.values())
                if row.kind not in ("about", "facts", "looks", "told", "rest"):
                    self.empty[name][0] += size + ROW_BYTES - values
                    self.empty[name][1] += 1
                if (name, row.kind) == ("note", "notes"):
                    counts["notes"] += len(arrays["notes"])
                elif (name, row.kind) == ("mark", "unique"):
                    counts["unique"] += units_of(arrays)[1].sum()
                elif (name, row.kind) == ("slots", "rest"):
                    counts["held"] += len(arrays["keys"])
                    counts["rest"] += values
                elif (name, row.kind) == ("slots", "slots"):
                    counts["slots"] += len(arrays["slots"])
                elif (name, row.kind) == ("count", "counted"):
                    counts["repeated"] += len(arrays["slots"])
                elif (name, row.kind) == ("prefixes", "entries"):
                    counts["entries"] += len(arrays["slots"])
                elif (name, row.kind) == ("meet", "met"):
                    counts["meetings"] += len(arrays["left"])
                elif (name, row.kind) == ("send", "sets"):
                    counts["sent"] += len(arrays["keys"])
                    counts["set_bytes"] += values
        return super().shuffle(data)

    def numbers(self, texts: int) -> dict[str, float]:
        """Return what the model needs, for so many texts."""
        counts = self.counts
        per_text = {name: counts[name] / texts for name in ("notes", "unique", "entries", "meetings", "sent")}
        per_held = {name: counts[name] / counts["held"] for name in ("slots", "repeated", "rest")}
        return (
            per_text
            | per_held
            | {"survivors": counts["held"] / texts, "set_bytes": counts["set_bytes"] / counts["sent"]}
        )


# --------------------------------------------------------------------------------------- simulation


def simulated(texts: int, block: int, notes: float, meetings: float, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Return the bytes of each shuffle, and of the task that gets most of it, for so many texts."""
    tasks, parts, _ = cut_for(texts, notes)
    bits = parts.bit_length() - 1
    engine = run(block, 1, bits)
    chance = np.random.default_rng(seed)
    blocks = -(-texts // block)
    found = {}
    for name in SHUFFLES:
        rows = engine.moved[name]
        to, sizes = np.array([part for part, _ in rows]), np.array([size for _, size in rows], dtype=np.float64)
        got = np.zeros(parts)
        if name == "meet":  # what meets what in other blocks: drawn, with the size of a row of one meeting
            one = float(np.median(sizes)) if len(sizes) else 0.0
            mean = meetings * texts / parts**2
            for part in range(0, parts, max(1, parts // 256)):  # each stands for its neighbours
                pairs = chance.poisson(mean, parts)
                got[part] = np.where(pairs > 0, one + 21.0 * np.maximum(pairs - 1, 0), 0.0).sum()
            got[got == 0] = got[got > 0].mean()
        elif name == "send":  # a set goes to a task or two, and each task has as many
            drawn = blocks * len(sizes) / parts
            got = chance.poisson(drawn, parts) * sizes.mean()
        elif name in ("mark", "count"):  # back to the block that asked: all of its rows, in one part
            total = sizes.sum()
            got = chance.multinomial(blocks, np.full(parts, 1 / parts)) * total
        else:
            own = np.bincount(to, weights=sizes, minlength=parts)
            for _ in range(blocks):
                got += np.roll(own, int(chance.integers(parts)))
        of_tasks = np.bincount(np.arange(parts) % tasks, weights=got)
        found[name] = float(got.sum()), float(of_tasks.max())
    return found


def main(given: list[str] | None = None) -> None:
    """Print the steps."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.spark_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sample", type=int, default=SAMPLE, help="texts of the sample")
    parser.add_argument("--texts", type=int, default=10**9, help="texts of the simulated shuffle")
    parser.add_argument("--block", type=int, help="texts of a simulated block; by default as many as there are in one")
    chosen = parser.parse_args(given)
    engine = sampled(chosen.sample)
    numbers = engine.numbers(chosen.sample)
    heads = {name: engine.empty[name][0] / max(engine.empty[name][1], 1) for name in SHUFFLES}
    model = Model(**numbers, heads=heads)
    moved = {name: round(sum(size for _, size in engine.moved[name]) / chosen.sample, 1) for name in SHUFFLES}
    cpu = {name: round(seconds, 2) for name, seconds in engine.cpu.items()}
    rounded = {name: round(value, 3) for name, value in numbers.items()}
    row = {"step": "sample", "texts": chosen.sample, "bytes": moved, "all": round(sum(moved.values())), "cpu": cpu}
    print(json.dumps(row | {"cpu_all": round(sum(cpu.values()), 2), "numbers": rounded}), flush=True)
    for texts in sorted({chosen.texts, 10**8, 10**9, 10**10}):
        tasks, parts, block = cut_for(texts, model.notes)
        each = {name: size / texts for name, size in model.shuffles(texts, tasks, parts, block).items()}
        row = {"step": "model", "texts": texts, "tasks": tasks, "parts": parts, "block": block}
        row |= {"bytes": {name: round(size, 1) for name, size in each.items()}, "all": round(sum(each.values()))}
        print(json.dumps(row | {"task": round(max(each.values()) * texts / tasks)}), flush=True)
    tasks, parts, block = cut_for(chosen.texts, model.notes)
    block = chosen.block or block
    found = simulated(chosen.texts, block, model.notes, model.meetings)
    each = {name: size / chosen.texts for name, (size, _) in found.items()}
    row = {"step": "simulated", "texts": chosen.texts, "tasks": tasks, "parts": parts, "block": block}
    row |= {"bytes": {name: round(size, 1) for name, size in each.items()}, "all": round(sum(each.values()))}
    print(json.dumps(row | {"task": round(max(most for _, most in found.values()))}), flush=True)
    wanted = {name: size / chosen.texts for name, size in model.shuffles(chosen.texts, tasks, parts, block).items()}
    ratios = {name: round(wanted[name] / max(each[name], 1e-9), 3) for name in SHUFFLES}
    print(
        json.dumps({"step": "ratio", **ratios, "all": round(sum(wanted.values()) / sum(each.values()), 3)}), flush=True
    )


def sampled(count: int) -> Looking:
    """Run all stages over a sample, cut as 16 tasks are."""
    from dedup.distributed.job import ID, TEXT
    from dedup.distributed.order import search
    from dedup.spark.inputs import checked, job_of

    table = pa.table(
        {ID: pa.array(range(count), type=pa.int64()), TEXT: pa.array(named.corpus(count), type=pa.string())}
    )
    search(Counting(2), table.slice(0, 500), job_of(checked(), 2), pa.int64())  # type: ignore[arg-type]
    engine = Looking(16)
    search(engine, table, job_of(checked(), 16), pa.int64())  # type: ignore[arg-type]
    return engine


if __name__ == "__main__":
    main()
