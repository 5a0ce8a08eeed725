"""The text that the commands print for people, on a terminal or into a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from textwrap import indent
from typing import TYPE_CHECKING, Any

from dedup.cli.ending import say, writing
from dedup.cli.printed import rest
from dedup.terminal import clean
from dedup.threshold import Metric

if TYPE_CHECKING:
    from dedup.cli.highlight import Piece
    from dedup.cli.inputs import ByName
    from dedup.pipelines.compare import Span
    from dedup.results.duplicates import Duplicates
    from dedup.results.matches import Matches
    from dedup.results.repeats import Repeats

__all__ = ["percent", "report_duplicates", "report_matches", "report_repeats", "show_marked"]

COLOURS = ("green", "cyan", "magenta", "yellow", "blue")

MARGIN = "  "
"""The indent of each line of a text that is shown, so that no line can be taken for a line of dedup."""


def show_marked(texts: tuple[tuple[str, str], tuple[str, str]], spans: Sequence[Span], *, full: bool) -> None:
    """Print two texts and mark what they share: in colour on a terminal, else in brackets."""
    from rich.console import Console
    from rich.padding import Padding

    from dedup.cli.highlight import CONTEXT, mark_text, plain
    from dedup.results.counted import counted

    if not spans:
        say("\nno shared span found")
        return
    words = sum(span.words for span in spans)
    say(f"{counted(words, 'word')} of {clean(texts[1][0])} are in {counted(len(spans), 'shared span')}")
    for number, span in enumerate(spans, start=1):
        here, there = f"{span.left_start}-{span.left_end}", f"{span.right_start}-{span.right_end}"
        say(f"{number:>5}: {counted(span.words, 'word')}, characters {here} and {there}")
    console = Console(highlight=False)
    coloured = console.color_system is not None and not console.no_color
    for side, (name, text) in enumerate(texts):
        own = [(span[2 * side], span[2 * side + 1]) for span in spans]
        pieces = mark_text(text, own, None if full else CONTEXT)
        say(f"\n--- {clean(name)}")
        if coloured:
            with writing():
                console.print(Padding(painted(pieces), (0, 0, 0, len(MARGIN))))
        else:
            say(indent(plain(pieces).rstrip("\n").expandtabs(), MARGIN, lambda _: True))


def painted(pieces: list[Piece]) -> Any:
    """Return pieces as rich text: each marked piece in the colour of its number, after the number."""
    from rich.text import Text

    from dedup.cli.highlight import label

    text = Text()
    for piece in pieces:
        if not piece.numbers:
            text.append(piece.text, style="dim")
            continue
        colour = COLOURS[(piece.numbers[0] - 1) % len(COLOURS)]
        text.append(f" {label(piece)} ", style=f"bold reverse {colour}")
        text.append(f" {piece.text}", style=f"bold {colour}")
    text.rstrip()
    return text


def _like(row: Mapping[str, Any], other: str, metric: str) -> str:
    """Return how similar the texts of a pair are, by the metric of the search."""
    if "distance" in row:
        return f"{row['similarity']:.3f} like {other}: edit distance {row['distance']:,}"
    there, back = percent(row["left_in_right"]), percent(row["right_in_left"])
    shares = f"{there} of its shingles are there, {back} of those are here"
    value, by = row["jaccard"], ""
    if metric == Metric.CONTAINMENT:
        value, by = max(row["left_in_right"], row["right_in_left"]), f" ({metric})"
    return f"{value:.3f} like {other}{by}: {shares}; {_differing(row['difference'])}"


def _differing(difference: str) -> str:
    """Return in words what the texts of a pair differ in."""
    return "the same characters" if difference == "identical" else f"they differ in {difference}"


def report_matches(result: Matches, texts: ByName, limit: int | None = None) -> None:
    """Print each text that matches: the texts that it is similar to, then its passages and their first places.

    At most `limit` texts are printed.
    """
    from dedup.results.counted import counted

    shown: dict[Any, list[str]] = {}
    for row in result.pairs.to_pylist():
        here, there = part(row, "left_"), part(row, "right_")
        line = f"  {here}: " if here else "  "
        line += _like(row, f"{clean(row['right'])} {there}".rstrip(), result.summary.metric)
        shown.setdefault(row["left"], []).append(line)
    for row in () if result.summary.passages is None else result.passages.to_pylist():
        where, text = spot(texts, row["left"], row, "left_")
        source = f"{clean(row['right'])} {characters(row, 'right_')}"
        source += "" if row["similarity"] == 1.0 else f", {percent(row['similarity'])} alike"
        shown.setdefault(row["left"], []).append(
            f"  {counted(row['words'], 'word')}, {where}, also in {source}\n    {excerpt(text)}"
        )
    if not shown:
        say("no matches found")
    for name in islice((name for name in texts if name in shown), limit):
        say("\n".join([clean(name), *shown[name], ""]))
    if left := rest(limit, len(shown), "text"):
        say(left)


def report_repeats(found: Repeats, texts: ByName, shortest: int, limit: int | None = None) -> None:
    """Print each repeat, at most `limit` of them, with the lines and characters of its place and of its source."""
    from dedup.results.counted import counted

    if not found:
        say(f"no repeats of {counted(shortest, 'word')} or more found; --min-words finds shorter ones")
        return
    for number, repeat in enumerate(islice(found, limit), start=1):
        where, text = spot(texts, repeat.document, repeat._asdict(), "")
        source, _ = spot(texts, repeat.source_document, repeat._asdict(), "source_")
        same = "" if repeat.similarity == 1.0 else f", {percent(repeat.similarity)} alike"
        count = counted(repeat.paragraphs, "paragraph") if repeat.paragraphs else "no complete paragraph"
        say(f"repeat {number}: {count}, {repeat.words:,} words{same}")
        say(f"  {clean(repeat.document)} {where}")
        say(f"  repeats {clean(repeat.source_document)} {source}")
        say(f"  {excerpt(text)}\n")
    if left := rest(limit, len(found), "repeat"):
        say(f"{left}\n")
    say(f"{percent(found.coverage)} of all characters repeat something earlier")


def report_duplicates(result: Duplicates, limit: int | None = None) -> None:
    """Print each cluster: its centre, which is the kept member if one is, then the other members.

    At most `limit` clusters are printed.
    """
    if not result.clusters.num_rows:
        say("no duplicates found")
        return
    shown: dict[int, list[dict[str, Any]]] = {}
    for row in result.clusters.to_pylist():
        shown.setdefault(row["cluster"], []).append(row)
    for rows in islice(shown.values(), limit):
        for row in sorted(rows, key=lambda row: row["reason"] is not None):
            name = f"{clean(row['id'])} {part(row, '')}".rstrip()
            what = "keep  " if row["kept"] else "remove"
            what += "" if row["reason"] is None else f" {row['reason']} {row['similarity']:.3f}"
            say(f"{what:<20} {name}")
        say()
    if left := rest(limit, len(shown), "cluster"):
        say(left)


def part(row: Mapping[str, Any], prefix: str) -> str:
    """Return in words which paragraph or line of a text a row is about, and its characters; "" of a whole text."""
    for unit in ("paragraph", "line"):
        if f"{prefix}{unit}" in row:
            return f"{unit} {row[f'{prefix}{unit}']}, {characters(row, prefix)}"
    return ""


def characters(row: Mapping[str, Any], prefix: str) -> str:
    """Return in words from where to where a span is, and in which of several columns."""
    start, end = row[f"{prefix}start"], row[f"{prefix}end"]
    column = row.get(f"{prefix}column")
    last = row.get(f"{prefix}end_column", column)
    if column != last:
        return f"characters {start} of {clean(column)} to {end} of {clean(last)}"
    return f"characters {start}-{end}" + ("" if column is None else f" of {clean(column)}")


def spot(texts: ByName, name: Any, row: Mapping[str, Any], prefix: str) -> tuple[str, str]:
    """Return the place of a span in words, with its lines if it is in one column, and its text."""
    start, end, column = row[f"{prefix}start"], row[f"{prefix}end"], row.get(f"{prefix}column")
    if column is None:
        return place(texts[name], start, end), texts[name][start:end]
    last = row[f"{prefix}end_column"]
    first, stop = texts.in_text(name, column, start), texts.in_text(name, last, end)
    whole = texts[name]
    where = characters(row, prefix)
    if column == last:
        where = f"{place(whole[first - start : stop], start, end)} of {clean(column)}"
    return where, whole[first:stop]


def place(text: str, start: int, end: int) -> str:
    """Return the place of ``text[start:end]`` in words: its lines and characters."""
    first = text.count("\n", 0, start) + 1
    last = first + text.count("\n", start, end)
    lines = f"line {first}" if first == last else f"lines {first}-{last}"
    return f"{lines}, characters {start}-{end}"


def excerpt(text: str) -> str:
    """Return the beginning and the end of a text, on one line."""
    line = " ".join(text.split())
    return clean(line if len(line) <= 100 else f"{line[:60].rstrip()} ... {line[-35:].lstrip()}")


def percent(share: float) -> str:
    """Return a share from 0 to 1 in per cent. A share below 1 is never rounded up to 100 %."""
    text = f"{100 * share:.1f}"
    return "99.9 %" if text == "100.0" and share < 1.0 else f"{text} %"
