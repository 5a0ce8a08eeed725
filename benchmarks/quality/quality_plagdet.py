"""How well are edited passages found, by `match` and `find_repeats` with their defaults?

    python -m benchmarks.quality.quality_plagdet
    python -m benchmarks.quality.quality_plagdet generated --search match --lost 3

A row for each kind of edit in `ROWS`: what was planted (`plants.py`), what was found, and the floor that it must reach.
Exit status 1 where one is missed. The same texts give the same numbers; the digest says which texts they were.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import dedup
from benchmarks.quality.plants import CORPORA, WORD, Detection, Planted, Score, digest, plant, score

__all__ = ["ROWS", "SEARCHES", "Row", "measured"]


class Row(NamedTuple):
    """Passages of `size` words, a `share` edited, each planted so often; and the least plagdet, at some threshold."""

    size: int
    edit: str
    share: float
    floor: float
    copies: int = 1
    threshold: float = 0.8


ROWS = (
    Row(50, "words", 0.0, 0.95),
    Row(50, "words", 0.05, 0.95),
    Row(100, "words", 0.0, 0.99),
    Row(100, "words", 0.05, 0.99),
    Row(300, "words", 0.05, 0.99),
    Row(100, "words", 0.2, 0.95),
    Row(100, "characters", 0.02, 0.97),
    Row(100, "characters", 0.05, 0.85),
    Row(100, "characters", 0.05, 0.95, threshold=0.6),
    Row(50, "deleted", 0.1, 0.95),
    Row(300, "gap", 0.08, 0.97),
    Row(100, "words", 0.05, 0.98, copies=3),
)

LIMITED = {("de_gesetze", "characters", 0.05, 0.6): 0.9}
"""Floors of single rows. German words are long: of those with one character in twenty wrong, few are equal."""

Search = Callable[[list[str], list[str], float], list[Detection]]


def by_match(sources: list[str], pages: list[str], threshold: float) -> list[Detection]:
    """Return what `match` finds of the sources in the pages."""
    table = dedup.match(pages, sources, progress=False, passage_threshold=threshold).passages
    names = ("left", "left_start", "left_end", "right", "right_start", "right_end")
    return [Detection(*row) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]


def by_repeats(sources: list[str], pages: list[str], threshold: float) -> list[Detection]:
    """Return what `find_repeats` finds in the pages; what they repeat of pages has sources after the last."""
    border = len(sources)
    return [
        Detection(int(r.document) - border, r.start, r.end, int(r.source_document), r.source_start, r.source_end)
        for r in dedup.find_repeats([*sources, *pages], progress=False, threshold=threshold)
        if int(r.document) >= border
    ]


def by_grams(sources: list[str], pages: list[str], threshold: float, *, size: int) -> list[Detection]:
    """Return the runs of so many words, as they are removed by others: those of a page that are in some source."""
    known: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for number, source in enumerate(sources):
        words = list(WORD.finditer(source))
        spelled = [word.group().casefold() for word in words]
        for i in range(len(words) - size + 1):
            known.setdefault(tuple(spelled[i : i + size]), (number, words[i].start(), words[i + size - 1].end()))
    found = []
    for page, text in enumerate(pages):
        words = list(WORD.finditer(text))
        spelled = [word.group().casefold() for word in words]
        for i in range(len(words) - size + 1):
            place = known.get(tuple(spelled[i : i + size]))
            if place is None:
                continue
            start, end = words[i].start(), words[i + size - 1].end()
            last = found[-1] if found else None
            if last and (last.page, last.source) == (page, place[0]) and last.end >= start:
                found[-1] = last._replace(end=end, source_end=max(last.source_end, place[2]))
            else:
                found.append(Detection(page, start, end, *place))
    return found


def by_seeds(
    sources: list[str], pages: list[str], threshold: float, *, size: int, gap: int, least: int
) -> list[Detection]:
    """Return chained seeds: equal runs of `size` words, joined while both sides go on within `gap` words.

    The usual design of detectors of reused text. Of a run that is in more than eight places of the sources the first
    eight are seeds. A chain with fewer than `least` words on its longer side is left out.
    """
    known: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    read = []
    for number, source in enumerate(sources):
        words = list(WORD.finditer(source))
        read.append([word.span() for word in words])
        spelled = [word.group().casefold() for word in words]
        for i in range(len(words) - size + 1):
            places = known.setdefault(tuple(spelled[i : i + size]), [])
            if len(places) < 8:
                places.append((number, i))
    found = []
    for page, text in enumerate(pages):
        words = list(WORD.finditer(text))
        spelled = [word.group().casefold() for word in words]
        going: dict[int, list[list[int]]] = {}  # by source: chains as start, end, start and end there, in words
        chains = []
        for i in range(len(words) - size + 1):
            for number, there in known.get(tuple(spelled[i : i + size]), ()):
                own = going.setdefault(number, [])
                chains += [(number, *chain) for chain in own if i - chain[1] > gap]
                own[:] = [chain for chain in own if i - chain[1] <= gap]
                near = (chain for chain in own if chain[2] <= there <= chain[3] + gap)
                chain = next(near, None)
                if chain is None:
                    own.append([i, i + size, there, there + size])
                else:
                    chain[1], chain[3] = i + size, max(chain[3], there + size)
        chains += [(number, *chain) for number, own in going.items() for chain in own]
        for number, start, end, source_start, source_end in sorted(chains):
            if max(end - start, source_end - source_start) >= least:
                there = read[number][source_start][0], read[number][source_end - 1][1]
                found.append(Detection(page, words[start].start(), words[end - 1].end(), number, *there))
    return found


SEARCHES: dict[str, Search] = {"match": by_match, "find_repeats": by_repeats}
SEEDS: dict[str, Search] = {
    f"seeds{size}-gap{gap}": partial(by_seeds, size=size, gap=gap, least=40) for size in (3, 5) for gap in (5, 10, 20)
}
"""Chained seeds of 3 and 5 words, with several gaps: the best of them is the rival."""

RIVALS: dict[str, Search] = {
    "grams13": partial(by_grams, size=13),
    "grams8": partial(by_grams, size=8),
    **SEEDS,
}


@cache
def natural(search: str, texts: tuple[str, ...], threshold: float) -> list[Detection]:
    """Return what the hosts have of the sources without any plant."""
    half = len(texts) // 2
    return (SEARCHES | RIVALS)[search](list(texts[:half]), list(texts[half:]), threshold)


def measured(corpus: str, row: Row, search: str, most: int = 600) -> tuple[Planted, Score]:
    """Plant, search and judge."""
    planted = plant(corpus, row.size, row.edit, row.share, most=most, copies=row.copies)
    before = natural(search, (*planted.sources, *planted.hosts), row.threshold)
    found = (SEARCHES | RIVALS)[search](planted.sources, planted.pages, row.threshold)
    return planted, score(planted, found, before)


def floor_of(corpus: str, row: Row) -> float:
    """Return the least plagdet of a row on a corpus."""
    return LIMITED.get((corpus, row.edit, row.share, row.threshold), row.floor)


def rows(corpora: list[str], searches: list[str]) -> Iterator[tuple[dict[str, Any], Planted, Score]]:
    """Measure everything that was asked for."""
    for corpus in corpora:
        for row in ROWS:
            for search in searches:
                planted, found = measured(corpus, row, search)
                yield (
                    {
                        "corpus": corpus,
                        "digest": digest([*planted.sources, *planted.pages]),
                        "search": search,
                        **row._asdict(),
                        "floor": floor_of(corpus, row),
                        "plants": len(planted.plants),
                        **{name: round(value, 4) for name, value in zip(Score._fields[:-1], found[:-1], strict=True)},
                    },
                    planted,
                    found,
                )


def main(given: list[str] | None = None) -> None:
    """Measure and print; end with status 1 where a floor is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.quality_plagdet", description=__doc__)
    parser.add_argument("corpora", nargs="*", help=f"of {', '.join(CORPORA)}; by default all")
    parser.add_argument(
        "--search", choices=SEARCHES | RIVALS, action="append", help="by default match and find_repeats"
    )
    parser.add_argument("--lost", type=int, default=0, metavar="N", help="print N of the lost passages of each row")
    parser.add_argument("--output", type=Path, help="a file for the results, a line of JSON each; added to")
    chosen = parser.parse_args(sys.argv[1:] if given is None else given)
    missed = 0
    for row, planted, found in rows(chosen.corpora or list(CORPORA), chosen.search or list(SEARCHES)):
        below = row["plagdet"] < row["floor"]
        missed += below and row["search"] in SEARCHES
        what = f"{row['size']} words, {100 * row['share']:g} % {row['edit']}"
        what += f" x{row['copies']}" * (row["copies"] > 1) + f" at {row['threshold']}" * (row["threshold"] < 0.8)
        print(
            f"{row['corpus']:16} {row['digest']} {what:33} {row['search']:12} {row['plants']:4} plants"
            f"  recall {row['recall']:.3f}  precision {row['precision']:.3f}  granularity {row['granularity']:.3f}"
            f"  plagdet {row['plagdet']:.3f}  {'below' if below else 'floor'} {row['floor']}",
            flush=True,
        )
        for one in found.lost[: chosen.lost]:
            print(f"  from: {planted.sources[one.source][one.start : one.end]!r}")
            print(f"  page: {planted.pages[one.page][one.place : one.stop]!r}")
        if chosen.output:
            with chosen.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
