"""The result of `suggest`: a shingle and a threshold, why, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.hash_key import PUBLIC
from dedup.page.showing import Shown
from dedup.reading import WORDS, Reading
from dedup.sampling.parting import FEWEST_TO_PART
from dedup.terminal import clean
from dedup.unit import Unit

if TYPE_CHECKING:
    import pyarrow as pa

    from dedup.page.view import Histogram, Member, View
    from dedup.results.suggestion_tables import Sample

__all__ = ["Suggestion", "advice_on_length", "advice_on_missed", "advised"]

FEWEST_SHORT, FEWEST_ALL_SHORT = 32, 4
"""Units. With fewer of them nothing is said of their length; the second holds if all are short and no pair was found:
a handful of titles. A few texts of which only most are short tell nothing of the collection."""

NEVER_TOO_LONG = {"words": 1, "chars": 4}
"""Words, characters. A shingle of this size or less is short enough for any text."""

LONGEST_BAR = 24
"""Characters of the longest bar of the histogram that is printed."""


@dataclass(frozen=True, repr=False, eq=False)
class Suggestion(Shown):
    """A shingle and a threshold for a collection, made by `dedup.suggest`.

    Attributes
    ----------
    unit, shingle, threshold, metric, ignore, tokens : options of `dedup.find_duplicates`; `options` has them as a dict
    reason : why, in words
    found : whether partners were seen that stand apart from unrelated texts; if not, the suggestion is a default
    estimate : the F1 that the search would have if the extrapolation holds, from 0 to 1; None without partners
    texts, sampled : number of different units with a token among those that were read, and how many of them were
        compared with all of these
    histogram : Arrow table, by kind of shingle and similarity
        Columns: shingle; similarity_from, similarity_to (float64); seen (int64: sampled units and their partners, so a
        pair of two sampled units counts for both);
        unrelated (float64: pairs expected of unrelated texts).
    samples : Arrow table of pairs, the most similar first: the most similar, the least similar and one between of each
        tenth of similarity, and the three nearest to the threshold on either side
        Columns: similarity (with the suggested shingle); left, right (ids; left was sampled, right is the unit that is
        most similar to it); left_text, right_text (their starts). For paragraphs and lines also left_paragraph and
        right_paragraph, or left_line and right_line: numbers from 0.
    beginnings : by row of `samples`, the first 4,000 characters of both texts: for the page, and not in `to_dict`
    """

    unit: str
    shingle: str
    threshold: float
    metric: str
    reason: str
    found: bool
    estimate: float | None
    texts: int
    sampled: int
    histogram: pa.Table
    samples: pa.Table
    beginnings: tuple[Sample, ...] = ()
    ignore: tuple[str, ...] = ()
    tokens: str = WORDS

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Suggestion):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    @property
    def options(self) -> dict[str, Any]:
        """The options as a dict: ``dedup.find_duplicates(texts, **suggestion.options)``."""
        asked = {"unit": self.unit, "shingle": self.shingle, "threshold": self.threshold, "metric": self.metric}
        return asked | {"ignore": list(self.ignore), "tokens": self.tokens}

    @property
    def command(self) -> str:
        """The command that searches with these options; INPUT is to be replaced by the files."""
        unit = "" if self.unit == "document" else f" --unit {self.unit}"
        read = "".join(f" --ignore {word}" for word in self.ignore)
        read += "" if self.tokens == WORDS else f" --tokens {self.tokens}"
        return f"dedup find INPUT{unit}{read} --shingle {self.shingle} --threshold {self.threshold:g}"

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dict; the tables are lists of rows."""
        plain = ("reason", "found", "estimate", "texts", "sampled")
        tables = {"histogram": self.histogram.to_pylist(), "samples": self.samples.to_pylist()}
        return {**self.options, **{name: getattr(self, name) for name in plain}, "command": self.command, **tables}

    def __repr__(self) -> str:
        lines = [f"shingle {self.shingle}, threshold {self.threshold:g}, metric {self.metric}", self.reason]
        bars = self._bars()
        lines += [*([""] if bars else []), *bars, *self._examples(), "", self.command]
        return "\n".join(lines)

    def _view(self) -> View:
        """Return what the page shows: each pair of `samples`, side by side."""
        from dedup.page.beside import beside
        from dedup.page.clusters import shortened
        from dedup.page.view import Member, View, Words, facts_of

        rows = self.samples.to_pylist()

        def pair(row: int) -> list[Member]:
            main, other = self.beginnings[row]
            shared = beside(main, other, self.shingle, Reading(PUBLIC, self.ignore, self.tokens))
            named = [str(rows[row][side]) for side in ("left", "right")]
            return [
                Member(rows[row]["left"], named[0], main),
                Member(rows[row]["right"], named[1], other, values[row], shared.evidence, shared.spans, differs=True),
            ]

        values = [row["similarity"] for row in rows]
        return View(
            kind="suggest",
            title=f"Suggested: shingle {self.shingle}, threshold {self.threshold:g}",
            words=Words("pair", "texts", "sampled text", "most similar text"),
            facts=[("why", self.reason), ("command", self.command), *facts_of({**self.options, **self._counts()})],
            warnings=[] if self.found else [self.reason],
            threshold=self.threshold,
            number=np.arange(len(rows), dtype=np.int64),
            size=np.full(len(rows), 2, dtype=np.int64),
            similarity=np.array(values, dtype=np.float64),
            reason=np.where(np.array(values) >= self.threshold, "above the threshold", "below it"),
            names=lambda some: [f"{rows[row]['left']} and {rows[row]['right']}" for row in some.tolist()],
            starts=lambda some: [shortened(self.beginnings[row][0]) for row in some.tolist()],
            members=lambda some, _: map(pair, some.tolist()),
            histograms=self._histograms(),
            nothing="No two texts share a shingle in this sample.",
        )

    def _counts(self) -> dict[str, Any]:
        """Return the numbers of the head of the page."""
        return {"texts": self.texts, "sampled": self.sampled, "estimate": self.estimate}

    def _histograms(self) -> list[Histogram]:
        """Return what was seen of each kind of shingle, by similarity; the suggested one comes first."""
        from dedup.page.view import Histogram

        table = self.histogram.to_pylist()
        names = sorted(dict.fromkeys(row["shingle"] for row in table), key=lambda name: name != self.shingle)
        found = []
        for name in names:
            own = [row for row in table if row["shingle"] == name]
            edges = [*(row["similarity_from"] for row in own), own[-1]["similarity_to"]]
            mark = self.threshold if name == self.shingle else None
            found.append(Histogram(f"{name}: pairs seen", edges, [row["seen"] for row in own], mark))
            if name == self.shingle:
                expected = [round(row["unrelated"] or 0) for row in own]
                found.append(Histogram(f"{name}: expected of unrelated texts", edges, expected, mark))
        return found

    def _bars(self) -> list[str]:
        """Return the histogram of the suggested shingle, a line for each twentieth of similarity."""
        rows = [row for row in self.histogram.to_pylist() if row["shingle"] == self.shingle]
        if not rows:
            return []
        last = max((number for number, row in enumerate(rows) if row["seen"]), default=0)
        unit = f"{self.unit}s" if self.unit != "document" else "texts"
        told = f"partners of {self.sampled:,} of {self.texts:,} {unit}; a pair of two of them counts twice"
        lines = [told, "similarity    partners  unrelated"]
        most = max(max(row["seen"], 1).bit_length() for row in rows)
        for row in rows[: last + 1]:
            bar = "#" * (LONGEST_BAR * row["seen"].bit_length() // most)
            mark = " <- threshold" if row["similarity_from"] <= self.threshold < row["similarity_to"] else ""
            place = f"{row['similarity_from']:.2f} to {row['similarity_to']:.2f}"
            lines.append(f"{place} {row['seen']:9,} {row['unrelated']:10,.0f}  {bar}{mark}".rstrip())
        return lines

    def _examples(self) -> list[str]:
        """Return some pairs in words: those nearest to the threshold, and the most similar ones."""
        rows = self.samples.to_pylist()
        reached = [row for row in rows if row["similarity"] >= self.threshold]
        groups = {
            "most similar": reached[:3],
            "just above the threshold": reached[3:][-3:],
            "just below it": [row for row in rows if row["similarity"] < self.threshold][:3],
        }
        lines = []
        for name, some in groups.items():
            if some:
                lines += ["", f"{name}:"]
            for row in some:
                lines.append(f"  {row['similarity']:.3f}  {row['left']!r} and {row['right']!r}")
                lines += [f"         {clean(row[side])!r}" for side in ("left_text", "right_text")]
        return lines


def advised(option: str, value: str, *, of_index: bool) -> str:
    """Return an option with a value, as Python and as the command line name it.

    With `of_index` it is one with which an index is made: a query has it from there.

    >>> advised("distinct", "numbers", of_index=False)
    'distinct="numbers" (--distinct numbers)'
    >>> advised("distinct", "numbers", of_index=True)
    'distinct="numbers" for a new index (dedup index create --distinct numbers)'
    """
    python, shell = f'{option}="{value}"', f"--{option} {value}"
    return f"{python} for a new index (dedup index create {shell})" if of_index else f"{python} ({shell})"


def advice_on_length(filled: int, short: int, unit: Unit, shingle: str, *, pairs: int) -> list[str]:
    """Return a warning if most of the `filled` units are shorter than three shingles, and a shorter shingle exists.

    Of few units it is returned only if all of them are that short, and none of their `pairs` reached the threshold.
    """
    kind, _, size = shingle.partition(":")
    fewest = FEWEST_ALL_SHORT if short == filled and not pairs else FEWEST_SHORT
    if filled < fewest or 2 * short <= filled or int(size) <= NEVER_TOO_LONG[kind]:
        return []
    told = f"{short:,} of {filled:,} {unit}s are shorter than three shingles of {shingle}"
    why = "a single changed word changes most of their shingles"
    names = f"for titles and names try {advised('metric', 'edit', of_index=False)}"
    others = f"for other texts a shorter shingle, such as {advised('shingle', 'chars:4', of_index=False)}"
    ask = "" if filled < FEWEST_TO_PART else ", or ask `suggest`"  # which needs so many
    return [f"{told}: {why}; {names}, {others}{ask}"]


def advice_on_missed(missed: tuple[int, float] | None, threshold: float, unit: Unit, *, ask: bool = True) -> list[str]:
    """Return a warning if pairs stand clearly apart below the threshold: how many, and their least similarity.

    Without `ask` it does not name `suggest`, which looks at one collection.
    """
    if missed is None:
        return []
    pairs, similarity = missed
    level = f"{similarity:.2g}"
    told = f"about {pairs:,} pairs of {unit}s have a similarity of {level} or more, far above what unrelated ones share"
    advice = f"try threshold={level} (--threshold {level})" + (", or ask `suggest`" if ask else "")
    return [f"{told}, and few reach {threshold:g}; {advice}"]
