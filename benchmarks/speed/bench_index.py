"""`dedup.Index` beside other indexes of near duplicates: the same texts, added, and then asked for.

    python -m benchmarks.speed.bench_index --documents 20000
    python -m benchmarks.speed.bench_index --documents 20000 --redis 6379      # on loopback; it is emptied
    python -m benchmarks.speed.bench_index --documents 100000 --redis 6379 --redis-documents 20000

More documents than fit in memory as texts: `benchmarks.speed.bench_index_growth`.

The others are MinHashLSH of datasketch, in memory or in Redis; gaoya's MinHashStringIndex; and the SearchIndex of
SetSimilaritySearch, which is exact and cannot be added to. The documents are generated news of about 2 kB. A question
is a near copy of a document (2 % of its words are others), or a text that is not there, in turns. Measured are, on one
core,

    added       documents a second, from text: for dedup until the commit is on disk; for datasketch with the making of
                the signatures, by its bulk way and an insertion session without the check for keys given twice
    filtered    documents a second of the whole way of a text: asked for, and added if nothing like it is there. For
                dedup by `filter_new`, a thousand texts at a time, and a commit at the end; for datasketch one signature
                for the query and the insertion. The first texts only, in an empty index
    one         microseconds of a question alone, from text: median and 99th percentile, of the processor and the clock
    many        questions a second, all in one call (where there is none: one by one)
    found       recall: the share of the near copies whose document is in the answer; all of them reach the threshold
    precise     precision: the share of the answers that reach the threshold, counted on sets of strings
    held        anonymous memory by which the process grew, with that of Redis, in bytes a document
    bytes       on disk, in bytes a document

Each tool runs in a process of its own, one after the other. datasketch is used as it is documented: strings of five
words, encoded, into `MinHash.generator` with its own hash function. `datasketch-tuned` gets shingles as 32-bit integers
that numpy made: nothing that it offers, but what an expert would do (`benchmarks.rivals.datasketch`). Making signatures
one text at a time, as its first example does, takes 1.5 times as long as the bulk way, and seven times with an `update`
for each shingle. SetSimilaritySearch gets sets of 64-bit integers that numpy made. datasketch does not verify its
candidates; gaoya verifies them by their signatures. With `--output` the lines are also added to a file, from which
`benchmarks.publish.index_page` makes a table and a plot.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from operator import index as as_is
from pathlib import Path
from typing import Any

import numpy as np

import dedup
from benchmarks import needs
from benchmarks.corpora import news
from benchmarks.rivals.shingles import blocks, joined, rows
from benchmarks.speed.bench_match import edited, shingles

THRESHOLD = 0.8
QUESTIONS = 2000
WARM = 50
FILTERED = 20_000
TOOLS = "dedup,dedup-lsh,datasketch,datasketch-tuned,gaoya,setsimilaritysearch"

Answer = Callable[[str], list[int]]


def generated(count: int) -> list[str]:
    """Return generated news."""
    texts: list[str] = []
    for block in news.generate(count, 2000, 1):
        texts += block
    return texts[:count]


def questions(texts: list[str], count: int) -> list[tuple[str, int]]:
    """Return texts to ask for, each with the number of the document of which it is a near copy, or -1."""
    chance = random.Random(2)
    unknown = [text for block in news.generate(10 * count, 2000, 99) for text in block][:count]
    made: list[tuple[str, int]] = []
    while len(made) < count:
        number = chance.randrange(len(texts))
        copy = edited(texts[number], 0.02, chance)
        one, other = shingles(copy), shingles(texts[number])
        if len(one & other) / len(one | other) >= THRESHOLD:
            made += [(copy, number), (unknown[len(made)], -1)]
    return made[:count]


def measured(ask: Answer, asked: list[tuple[str, int]], texts: list[str]) -> dict[str, Any]:
    """Ask one by one; return the times of a question, and how good the answers are."""
    for text, _ in asked[:WARM]:
        ask(text)
    spent, waited, answers = [], [], []
    for text, _ in asked:
        cpu, clock = time.thread_time_ns(), time.perf_counter_ns()
        answers.append(ask(text))
        spent.append((time.thread_time_ns() - cpu) / 1e3)
        waited.append((time.perf_counter_ns() - clock) / 1e3)
    wanted = [(number in found) for (_, number), found in zip(asked, answers, strict=True) if number >= 0]
    wrong = total = 0
    for (text, _), found in zip(asked[:400], answers[:400], strict=True):
        own = shingles(text)
        sets = [shingles(texts[number]) for number in found]
        wrong += sum(len(own & other) / len(own | other) < THRESHOLD for other in sets)
        total += len(found)
    return {
        "one_cpu_p50_us": round(float(np.percentile(spent, 50)), 1),
        "one_cpu_p99_us": round(float(np.percentile(spent, 99)), 1),
        "one_p50_us": round(float(np.percentile(waited, 50)), 1),
        "one_p99_us": round(float(np.percentile(waited, 99)), 1),
        "found": round(sum(wanted) / len(wanted), 4),
        "precise": round(1 - wrong / max(total, 1), 4),
    }


def held() -> int:
    """Return the anonymous memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))


def filtered(texts: list[str], filter_new: Callable[[list[str]], object]) -> dict[str, int]:
    """Ask for the first texts and add those that are not there; return how many a second."""
    some = texts[:FILTERED]
    cpu, clock = time.process_time(), time.perf_counter()
    filter_new(some)
    spent, waited = time.process_time() - cpu, time.perf_counter() - clock
    return {"filtered_per_cpu_s": round(len(some) / spent), "filtered_per_s": round(len(some) / waited)}


def by_dedup(texts: list[str], asked: list[tuple[str, int]], method: str = "exact") -> dict[str, Any]:
    """Add, commit, and ask a reader."""
    folder = Path(tempfile.mkdtemp())

    def filter_new(some: list[str]) -> None:
        with dedup.Index.create(folder / "filtered", method=method) as index:
            for start in range(0, len(some), 1000):
                index.filter_new(some[start : start + 1000], threads=1, progress=False)

    try:
        with dedup.Index.create(folder / "warm", method=method) as warm:
            warm.add(texts[:2000], threads=1, progress=False)
            warm.filter_new(texts[2000:3000], threads=1, progress=False)
            warm.query(texts[:10], threads=1, progress=False)
        stall, before_all = 0.0, held()
        cpu, clock = time.process_time(), time.perf_counter()
        with dedup.Index.create(folder / "index", method=method) as index:
            for start in range(0, len(texts), 1000):
                before = time.perf_counter()
                index.add(texts[start : start + 1000], threads=1, progress=False)
                stall = max(stall, time.perf_counter() - before)
            index.commit()
            spent, waited = time.process_time() - cpu, time.perf_counter() - clock
            grown = held() - before_all
        clock = time.perf_counter()
        with dedup.Index.open(folder / "index") as index:
            opened = time.perf_counter() - clock

            def ask(text: str) -> list[int]:
                best = index.best(text)
                return [] if best is None else [int(best[0])]

            row = measured(ask, asked, texts)
            cpu = time.process_time()
            result = index.query([text for text, _ in asked], threads=1, progress=False)
            many = len(asked) / (time.process_time() - cpu)
            pairs = result.pairs
            answers = set(zip(pairs["left"].to_pylist(), pairs["right"].to_pylist(), strict=True))
            wanted = [(row, number) in answers for row, (_, number) in enumerate(asked) if number >= 0]
            row["found"] = round(sum(wanted) / len(wanted), 4)  # not by `best`: another one may be nearer still
            seen = [(time.thread_time_ns(), index.seen(text), time.thread_time_ns()) for text, _ in asked]
            stats = index.stats
        return {
            "added_per_cpu_s": round(len(texts) / spent),
            "added_per_s": round(len(texts) / waited),
            "longest_1000_ms": round(1e3 * stall, 1),
            **filtered(texts, filter_new),
            **row,
            "seen_cpu_p50_us": round(float(np.percentile([(b - a) / 1e3 for a, _, b in seen], 50)), 1),
            "many_per_cpu_s": round(many),
            "open_ms": round(1e3 * opened, 1),
            "segments": stats.segments,
            "held_per_document": round(grown / len(texts)),
            "bytes_per_document": round(stats.bytes / len(texts)),
            "bytes_without_sets": round((stats.bytes - 8 * stats.shingles) / len(texts)),
        }
    finally:
        shutil.rmtree(folder)


def sketches(texts: Iterable[str], *, tuned: bool) -> Iterator[Any]:
    """Yield the signatures of texts, made in bulk: as documented, or from integers that numpy made."""
    from datasketch import MinHash

    def narrow() -> Iterator[list[int]]:
        for hashes, counts in blocks(list(texts)):
            values = (hashes >> np.uint64(32)).tolist()
            for start, stop in rows(counts):
                yield values[start:stop]

    if tuned:
        yield from MinHash.generator(narrow(), num_perm=128, hashfunc=as_is)
    else:
        yield from MinHash.generator(([each.encode() for each in joined(text)] for text in texts), num_perm=128)


def by_datasketch(
    texts: list[str], asked: list[tuple[str, int]], port: int | None = None, *, tuned: bool = False
) -> dict[str, Any]:
    """Insert in a session, and ask; in memory, or in a Redis server on loopback."""
    from datasketch import MinHashLSH

    storage: dict[str, Any] = {}
    if port is not None:
        redis = needs.package("redis").Redis(port=port)
        redis.flushall()
        storage = {"storage_config": {"type": "redis", "redis": {"host": "localhost", "port": port}}}

    def filter_new(some: list[str]) -> None:
        fresh = MinHashLSH(threshold=THRESHOLD, num_perm=128, **storage)
        for key, sketch in enumerate(sketches(some, tuned=tuned)):
            if not fresh.query(sketch):
                fresh.insert(key, sketch, check_duplication=False)

    whole = filtered(texts, filter_new)
    if port is not None:
        redis.flushall()
    before = held()
    cpu, clock = time.process_time(), time.perf_counter()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=128, **storage)
    with index.insertion_session() as session:
        for key, sketch in enumerate(sketches(texts, tuned=tuned)):
            session.insert(key, sketch, check_duplication=False)
    spent, waited = time.process_time() - cpu, time.perf_counter() - clock
    size = held() - before
    if port is not None:
        size += redis.info("memory")["used_memory"]

    def ask(text: str) -> list[int]:
        return [int(key) for key in index.query(next(sketches([text], tuned=tuned)))]

    row = measured(ask, asked, texts)
    cpu = time.process_time()
    for sketch in sketches([text for text, _ in asked], tuned=tuned):
        index.query(sketch)
    many = len(asked) / (time.process_time() - cpu)
    if port is not None:
        redis.flushall()
    return {
        "added_per_cpu_s": round(len(texts) / spent),
        "added_per_s": round(len(texts) / waited),
        **whole,
        **row,
        "many_per_cpu_s": round(many),
        "held_per_document": round(size / len(texts)),
    }


def by_gaoya(texts: list[str], asked: list[tuple[str, int]]) -> dict[str, Any]:
    """Insert all at once, and ask."""
    from benchmarks.rivals.gaoya import index_of

    def filter_new(some: list[str]) -> None:
        fresh = index_of(THRESHOLD)
        for key, text in enumerate(some):
            if not fresh.query(text):
                fresh.insert_document(key, text)

    whole = filtered(texts, filter_new)
    before = held()
    cpu, clock = time.process_time(), time.perf_counter()
    index = index_of(THRESHOLD)
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    spent, waited = time.process_time() - cpu, time.perf_counter() - clock
    size = held() - before
    row = measured(lambda text: list(index.query(text)), asked, texts)
    cpu = time.process_time()
    index.par_bulk_query([text for text, _ in asked])
    many = len(asked) / (time.process_time() - cpu)
    return {
        "added_per_cpu_s": round(len(texts) / spent),
        "added_per_s": round(len(texts) / waited),
        **whole,
        **row,
        "many_per_cpu_s": round(many),
        "held_per_document": round(size / len(texts)),
    }


def sets_of(texts: list[str]) -> Iterator[set[int]]:
    """Yield the sets of the hashed shingles of texts."""
    for hashes, counts in blocks(texts):
        values = hashes.tolist()
        for start, stop in rows(counts):
            yield set(values[start:stop])


def by_setsimilaritysearch(texts: list[str], asked: list[tuple[str, int]]) -> dict[str, Any]:
    """Build the index of all sets, and ask."""
    from SetSimilaritySearch import SearchIndex

    before = held()
    cpu, clock = time.process_time(), time.perf_counter()
    index = SearchIndex(list(sets_of(texts)), similarity_func_name="jaccard", similarity_threshold=THRESHOLD)
    spent, waited = time.process_time() - cpu, time.perf_counter() - clock
    size = held() - before

    def ask(text: str) -> list[int]:
        return [number for number, _ in index.query(next(sets_of([text])))]

    row = measured(ask, asked, texts)
    cpu = time.process_time()
    for own in sets_of([text for text, _ in asked]):
        index.query(own)
    many = len(asked) / (time.process_time() - cpu)
    return {
        "added_per_cpu_s": round(len(texts) / spent),
        "added_per_s": round(len(texts) / waited),
        **row,
        "many_per_cpu_s": round(many),
        "held_per_document": round(size / len(texts)),
    }


def run(tool: str, count: int, redis: int | None) -> dict[str, Any]:
    """Measure a tool, in a process of its own."""
    texts = generated(count)
    asked = questions(texts, QUESTIONS)
    if tool == "datasketch, redis":
        return by_datasketch(texts, asked, redis)
    tools: dict[str, Callable[..., dict[str, Any]]] = {
        "dedup": by_dedup,
        "dedup-lsh": partial(by_dedup, method="lsh"),
        "datasketch": by_datasketch,
        "datasketch-tuned": partial(by_datasketch, tuned=True),
        "gaoya": by_gaoya,
        "setsimilaritysearch": by_setsimilaritysearch,
    }
    return tools[tool](texts, asked)


def main() -> None:
    """Measure, and print a JSON line for each tool."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.bench_index",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--tools", default=TOOLS, help="separated by commas")
    parser.add_argument("--redis", type=int, help="port of a Redis server on loopback; its data are DELETED")
    parser.add_argument("--redis-documents", type=int, help="for Redis alone: another number of documents")
    parser.add_argument("--output", type=Path, help="file to which the lines are added")
    chosen = parser.parse_args()
    tools = chosen.tools.split(",")
    for tool in tools:
        if not tool.startswith("dedup"):
            needs.package({"setsimilaritysearch": "SetSimilaritySearch"}.get(tool, tool.partition("-")[0]))
    if chosen.redis is not None:
        tools.append("datasketch, redis")
    os.environ["RAYON_NUM_THREADS"] = "1"
    for tool in tools:
        documents = (chosen.redis_documents if "redis" in tool else None) or chosen.documents
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            found = alone.submit(run, tool, documents, chosen.redis).result()
        line = json.dumps({"kind": "index", "tool": tool, "documents": documents, **found})
        print(line, flush=True)
        if chosen.output is not None:
            with chosen.output.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
