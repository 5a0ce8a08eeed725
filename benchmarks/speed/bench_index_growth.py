"""`dedup.Index` while it grows to millions of documents: additions, stalls, questions, memory, and bytes on disk.

    python -m benchmarks.speed.bench_index_growth --documents 5000000 --folder /somewhere/with/30/GB
    python -m benchmarks.speed.bench_index_growth --ask-only --folder /somewhere     # only the questions, once more

The texts are made by numpy in a few microseconds each, since the generator of `benchmarks.corpora.news` takes longer
than the index: 333 words of five letters, 1,997 bytes. As there, a tenth of their 8-word chunks are stock phrases, a
quarter of them ends with one of 256 boilerplate paragraphs, a tenth are near copies of an earlier text (2 % of the
words are others), and 2 % exact copies. They are added by the public `Index.add`, a thousand at a time, with a commit
after each 100,000. In each step some thousand are added one by one, and the slowest of these is noted.

A question is a near copy of a document, or a text that is not there, in turns. The first round of the same questions is
cold for the pages that they need, the next ones are warm. Times of the processor are those of the thread, so waits for
other work on the machine are not in them; those of the clock are noted too. A JSON line for each step.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import dedup
from benchmarks.speed.bench_index import THRESHOLD, held
from benchmarks.speed.bench_match import shingles

WORDS, CHUNKED, LETTERS = 333, 8, 6
VOCABULARY, PHRASES, ENDINGS_KNOWN, ENDING_WORDS = 1 << 16, 1 << 15, 256, 40
BLOCK_TEXTS = 1000
COMMITTED_TEXTS = 100_000
ONE_BY_ONE = 4000
QUESTIONS_ASKED = 2000
ROUNDS = 4

Forms = npt.NDArray[np.int64]


def vocabulary() -> npt.NDArray[np.uint8]:
    """Return words of five letters and a space (n x 6)."""
    chance = np.random.default_rng(7)
    numbers = chance.choice(26**5, size=VOCABULARY, replace=False)
    words = np.full((VOCABULARY, LETTERS), ord(" "), dtype=np.uint8)
    for place in range(LETTERS - 1):
        words[:, place] = ord("a") + numbers % 26
        numbers = numbers // 26
    return words


SPELLED = vocabulary()


def drawn(chance: np.random.Generator, count: int, words: int) -> Forms:
    """Return words (count x words): the k-th is drawn about 1/k as often as the first."""
    level = chance.random((count, words), dtype=np.float32)
    found: Forms = np.minimum(np.exp2(level * 16) - 1, VOCABULARY - 1).astype(np.int64)
    return found


def block_of_forms(seed: int, count: int = BLOCK_TEXTS) -> Forms:
    """Return the words of a block of texts, which is a function of its seed."""
    fixed = np.random.default_rng(11)
    phrases, endings = drawn(fixed, PHRASES, CHUNKED), drawn(fixed, ENDINGS_KNOWN, ENDING_WORDS)
    chance = np.random.default_rng((13, seed))
    texts = drawn(chance, count, WORDS)
    chunks = texts[:, : WORDS // CHUNKED * CHUNKED].reshape(count, -1, CHUNKED)
    stock = chance.random(chunks.shape[:2]) < 0.1
    chunks[stock] = phrases[chance.integers(0, PHRASES, int(stock.sum()))]
    texts[:, : WORDS // CHUNKED * CHUNKED] = chunks.reshape(count, -1)
    ended = np.flatnonzero(chance.random(count) < 0.25)
    texts[ended, -ENDING_WORDS:] = endings[chance.integers(0, ENDINGS_KNOWN, len(ended))]
    kinds = chance.random(count)
    kinds[: count // 2] = 1
    for row in np.flatnonzero(kinds < 0.24).tolist():  # of the second half: copies of texts of the first
        texts[row] = texts[chance.integers(0, count // 2)]
        if kinds[row] >= 0.04:
            changed = chance.random(WORDS) < 0.02
            texts[row, changed] = drawn(chance, 1, int(changed.sum()))[0]
    return texts


def spelled(forms: Forms) -> list[str]:
    """Return the texts."""
    data = SPELLED[forms].reshape(len(forms), -1)[:, :-1]
    return [row.tobytes().decode("ascii") for row in data]


def blocks(first: int, end: int) -> Iterator[list[str]]:
    """Yield the blocks with the texts from `first` to `end` - 1; both are multiples of the size of a block."""
    for seed in range(first // BLOCK_TEXTS, end // BLOCK_TEXTS):
        yield spelled(block_of_forms(seed))


def questions(documents: int) -> list[tuple[str, int]]:
    """Return texts to ask for, each with the number of the document that it is a near copy of, or -1."""
    chance = np.random.default_rng(17)
    unknown = spelled(block_of_forms(1 << 40, QUESTIONS_ASKED))
    made: list[tuple[str, int]] = []
    while len(made) < QUESTIONS_ASKED:
        number = int(chance.integers(0, documents))
        forms = block_of_forms(number // BLOCK_TEXTS)[number % BLOCK_TEXTS]
        copy, changed = forms.copy(), chance.random(WORDS) < 0.02
        copy[changed] = drawn(chance, 1, int(changed.sum()))[0]
        text, one, other = spelled(copy[np.newaxis])[0], *map(shingles, spelled(np.stack((forms, copy))))
        if len(one & other) / len(one | other) >= THRESHOLD:
            made += [(text, number), (unknown[len(made)], -1)]
    return made


def asked(folder: Path, documents: int) -> dict[str, Any]:
    """Ask a reader some rounds of questions, one by one and in batches; return the best round's times, and recall."""
    texts = questions(documents)
    clock = time.perf_counter()
    before = held()
    with dedup.Index.open(folder) as index:
        opened = time.perf_counter() - clock
        found: dict[str, Any] = {"open_ms": round(1e3 * opened, 1), "segments": index.stats.segments}
        for number in range(ROUNDS):
            spent: list[float] = []
            waited: list[float] = []
            for text, _ in texts:
                cpu, clock_ns = time.thread_time_ns(), time.perf_counter_ns()
                index.best(text)
                spent.append((time.thread_time_ns() - cpu) / 1e3)
                waited.append((time.perf_counter_ns() - clock_ns) / 1e3)
            name = "cold" if number == 0 else "warm"
            for kind, values in (("cpu", spent), ("clock", waited)):
                for share in (50, 99):
                    figure = round(float(np.percentile(values, share)), 1)
                    key = f"{name}_{kind}_p{share}_us"
                    found[key] = min(found.get(key, figure), figure)
        seen = [(time.thread_time_ns(), index.seen(text), time.thread_time_ns()) for text, _ in texts]
        found["seen_cpu_p50_us"] = round(float(np.percentile([(b - a) / 1e3 for a, _, b in seen], 50)), 1)
        index.query([text for text, _ in texts[:20]], threads=1, progress=False)
        least = float("inf")
        for _ in range(ROUNDS):
            cpu = time.process_time()
            result = index.query([text for text, _ in texts], threads=1, progress=False)
            least = min(least, time.process_time() - cpu)
        found["many_per_cpu_s"] = round(len(texts) / least)
        pairs = result.pairs
        answers = set(zip(pairs["left"].to_pylist(), pairs["right"].to_pylist(), strict=True))
        near = [(row, number) for row, (_, number) in enumerate(texts) if number >= 0]
        found["found"] = round(sum(each in answers for each in near) / len(near), 4)
        found["reader_bytes_per_document"] = round((held() - before) / documents, 1)
        found["bytes_without_sets"] = round((index.stats.bytes - 8 * index.stats.shingles) / documents)
    return found


def grow(folder: Path, documents: int, step: int, method: str, output: Path | None) -> None:
    """Add texts, and print a line after each step."""
    done, total_cpu, total_clock = 0, 0.0, 0.0
    before = held()
    with dedup.Index.create(folder, method=method) as index:
        while done < documents:
            end = min(done + step, documents)
            cpu_here, clock_here, slowest, singles, many = 0.0, 0.0, 0.0, 0, 0
            each: list[float] = []
            for texts in blocks(done, end):
                one_by_one = singles < ONE_BY_ONE
                cpu, clock = time.process_time(), time.perf_counter()
                if one_by_one:
                    for text in texts:
                        thread, moment = time.thread_time(), time.perf_counter()
                        index.add([text], threads=1, progress=False)
                        each.append(time.thread_time() - thread)
                        slowest = max(slowest, time.perf_counter() - moment)
                    singles += len(texts)
                else:
                    index.add(texts, threads=1, progress=False)
                done += len(texts)
                if done % COMMITTED_TEXTS == 0 or done == documents:
                    index.commit()
                if not one_by_one:
                    many += len(texts)
                    cpu_here += time.process_time() - cpu
                    clock_here += time.perf_counter() - clock
            total_cpu, total_clock = total_cpu + cpu_here, total_clock + clock_here
            line = {
                "kind": "growth",
                "method": method,
                "documents": done,
                "added_per_cpu_s": round(many / max(cpu_here, 1e-9)),
                "added_per_s": round(many / max(clock_here, 1e-9)),
                "one_cpu_p50_us": round(1e6 * float(np.median(each))),
                "slowest_add_of_one_cpu_ms": round(1e3 * max(each), 1),
                "slowest_add_of_one_ms": round(1e3 * slowest, 1),
                "segments": index.stats.segments,
                "writer_bytes_per_document": round((held() - before) / done, 1),
            }
            tell(line, output)
    total = {"kind": "growth", "method": method, "cpu_s": round(total_cpu, 1), "clock_s": round(total_clock, 1)}
    tell(total, output)


def tell(line: dict[str, Any], output: Path | None) -> None:
    """Print a line, and add it to a file."""
    print(json.dumps(line), flush=True)
    if output is not None:
        with output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def main() -> None:
    """Grow an index and ask it, or only ask."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.bench_index_growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=1_000_000, help="a multiple of 1,000")
    parser.add_argument("--step", type=int, default=250_000, help="documents of a line, a multiple of 1,000")
    parser.add_argument("--folder", type=Path, required=True, help="of the index; it is removed unless --keep")
    parser.add_argument("--method", default="exact", choices=["exact", "lsh"])
    parser.add_argument("--keep", action="store_true", help="do not remove the index")
    parser.add_argument("--output", type=Path, help="file to which the lines are added")
    parser.add_argument("--ask-only", action="store_true", help="ask the index that is there")
    chosen = parser.parse_args()
    if not chosen.ask_only:
        grow(chosen.folder, chosen.documents, chosen.step, chosen.method, chosen.output)
    answers = asked(chosen.folder, chosen.documents)
    line = {"kind": "questions", "method": chosen.method, "documents": chosen.documents, **answers}
    tell(line, chosen.output)
    if not chosen.keep and not chosen.ask_only:
        shutil.rmtree(chosen.folder)


if __name__ == "__main__":
    main()
