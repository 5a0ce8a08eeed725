"""The command line: the same functions, in the field's words.

``dedup repeats FILE...``   repeated blocks inside a text and across texts
``dedup find INPUT...``     duplicate documents or paragraphs; a text file is a document, a line of .jsonl is one
``dedup match NEW... --against OLD``   what of some texts stands in others
``dedup compare A B``       two files: how similar, and where
``dedup estimate INPUT...`` what a find would do and take

Data goes to stdout (for people; JSON lines with --json), everything else to stderr. Exit codes: 0 done; 1 something
was found, with --check; 2 wrong use, or nothing that could be read; 3 done, but some inputs were rejected (each named
on stderr).
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from dedup import __version__
from dedup.errors import DedupError

if TYPE_CHECKING:
    from dedup.comparison import Comparison
    from dedup.duplicates import Duplicates
    from dedup.marking import Piece
    from dedup.matches import Matches
    from dedup.repeated import Repeats

COLOURS = ("green", "cyan", "magenta", "yellow", "blue")
FOUND, WRONG_USE, SOME_REJECTED, INTERRUPTED = 1, 2, 3, 130


class Group(click.Group):
    """Turns the library's errors into a line on stderr and exit code 2."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; a `DedupError` ends it with its message, Ctrl-C with the code that shells expect."""
        try:
            return super().invoke(context)
        except DedupError as error:
            click.echo(f"dedup: {error}", err=True)
            context.exit(WRONG_USE)
        except KeyboardInterrupt:
            click.echo("dedup: interrupted", err=True)
            context.exit(INTERRUPTED)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="dedup")
def main() -> None:
    """Find repeated paragraphs and repeated whole articles, exact and nearly so."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


COMMON = [
    click.option("--json", "as_json", is_flag=True, help="Write JSON lines instead of a report for people."),
    click.option("--check", is_flag=True, help="Exit with code 1 if anything was found."),
    click.option("--threads", type=int, help="Threads; by default all processors that the process may use."),
]


def common(command: Any) -> Any:
    """Add the options that every search has."""
    for option in reversed(COMMON):
        command = option(command)
    return command


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--min-words", type=int, default=50, show_default=True, help="Words that a repeat has at least.")
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a repeat.")
@click.option("--memory", help='A bound, such as "4GB"; the texts are then read more than once where they must be.')
@common
def repeats(files: tuple[str, ...], as_json: bool, check: bool, **options: Any) -> None:
    """Find stretches of text that repeat an earlier one, inside a text and across texts.

    Each FILE is a plain text in UTF-8, "-" stands for standard input. Earlier means earlier in the same file, or in a
    file that was named before.
    """
    from dedup.reading import read_files

    inputs = read_files(files, json_lines=False, column="text", id_column=None)
    from dedup.repeats import find_repeats

    found = find_repeats(inputs.texts, ids=inputs.ids, **options)
    if as_json:
        for repeat in found:
            click.echo(json.dumps(repeat._asdict(), ensure_ascii=False))
    else:
        report_repeats(found, dict(zip(inputs.ids, inputs.texts, strict=True)))
    finish(found=len(found) > 0, check=check, rejected=inputs.rejected)


@main.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--unit", type=click.Choice(["document", "paragraph"]), default="document", show_default=True)
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair.")
@click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment.")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs words:3.')
@click.option("--method", default="auto", show_default=True, help="auto, exact or lsh.")
@click.option("--recall", type=float, default=0.999, show_default=True, help="Promised at the threshold (lsh).")
@click.option("--keep", default="first", show_default=True, help="first, last, longest or shortest.")
@click.option("--column", default="text", show_default=True, help="Field of a .jsonl line that holds the text.")
@click.option("--id", "id_column", help="Field of a .jsonl line that names it; by default FILE:LINE.")
@click.option("--pairs", default="auto", show_default=True, help="auto or all.")
@click.option("--memory", help='A bound, such as "4GB"; the texts are then read more than once where they must be.')
@common
def find(
    inputs: tuple[str, ...],
    as_json: bool,
    check: bool,
    threads: int | None,
    column: str,
    id_column: str | None,
    **options: Any,
) -> None:
    """Find duplicates, exact and nearly so, among whole documents or paragraphs.

    An INPUT is a plain text file (a document) or a .jsonl file (a document a line), in UTF-8; "-" stands for a text on
    standard input.
    """
    from dedup.reading import read_files

    read = read_files(inputs, json_lines=True, column=column, id_column=id_column)
    from dedup.find import find_duplicates

    result = find_duplicates(read.texts, ids=read.ids, threads=threads, **options)
    if as_json:
        for row in result.clusters.to_pylist():
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        report_duplicates(result)
    click.echo(str(result.summary), err=True)
    finish(found=result.summary.clusters > 0, check=check, rejected=read.rejected)


@main.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--unit", type=click.Choice(["document", "paragraph"]), default="document", show_default=True)
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair.")
@click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment.")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs words:3.')
@click.option("--method", default="auto", show_default=True, help="auto, exact or lsh.")
@click.option("--column", default="text", show_default=True, help="Field of a .jsonl line that holds the text.")
@click.option("--memory", help='A bound, such as "4GB".')
@click.option("--threads", type=int, help="Threads; by default all processors that the process may use.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def estimate(inputs: tuple[str, ...], as_json: bool, column: str, **options: Any) -> None:
    """Say what `dedup find` would do with the same inputs, and what memory and time it would take."""
    from dedup.reading import read_files

    read = read_files(inputs, json_lines=True, column=column, id_column=None)
    from dedup.forecast import estimate as estimate_texts

    plan = estimate_texts(read.texts, **options)
    click.echo(json.dumps(plan.to_dict()) if as_json else str(plan))
    finish(found=False, check=False, rejected=read.rejected)


@main.command()
@click.argument("new", metavar="NEW...", nargs=-1, required=True)
@click.option("--against", multiple=True, required=True, metavar="OLD", help="Texts to look in; may be repeated.")
@click.option("--unit", type=click.Choice(["document", "paragraph"]), default="document", show_default=True)
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair.")
@click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment.")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs words:3.')
@click.option("--min-words", type=int, default=50, show_default=True, help="Words that a passage has at least.")
@click.option("--column", default="text", show_default=True, help="Field of a .jsonl line that holds the text.")
@click.option("--id", "id_column", help="Field of a .jsonl line that names it; by default FILE:LINE.")
@click.option("--against-column", help="The same of OLD; by default as --column.")
@click.option("--against-id", help="The same of OLD; by default FILE:LINE.")
@click.option("--memory", help='A bound, such as "4GB"; the texts are then read more than once where they must be.')
@common
def match(
    new: tuple[str, ...],
    against: tuple[str, ...],
    as_json: bool,
    check: bool,
    threads: int | None,
    column: str,
    id_column: str | None,
    against_column: str | None,
    against_id: str | None,
    **options: Any,
) -> None:
    """Find what of NEW stands in OLD: whole texts, exactly and nearly so, and passages word for word.

    NEW and OLD are plain text files (a text each) or .jsonl files (a text a line), in UTF-8; "-" stands for a text on
    standard input. Texts of one side are never compared with each other.
    """
    from dedup.reading import read_files
    from dedup.sides import naming

    with naming("NEW"):
        left = read_files(new, json_lines=True, column=column, id_column=id_column)
    with naming("--against"):
        right = read_files(against, json_lines=True, column=against_column or column, id_column=against_id)
    from dedup.matching import match as match_texts

    result = match_texts(left.texts, right.texts, ids=left.ids, against_ids=right.ids, threads=threads, **options)
    if as_json:
        for kind, table in (("pair", result.pairs), ("passage", result.passages)):
            for row in table.to_pylist():
                click.echo(json.dumps({"kind": kind, **row}, ensure_ascii=False))
    else:
        report_matches(result, dict(zip(left.ids, left.texts, strict=True)))
    click.echo(str(result.summary), err=True)
    found = result.summary.pairs > 0 or bool(result.summary.passages)
    finish(found=found, check=check, rejected=left.rejected + right.rejected)


@main.command()
@click.argument("a")
@click.argument("b")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5.')
@click.option("--full", is_flag=True, help="Show long texts whole, not only the surroundings of what they share.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def compare(a: str, b: str, shingle: str | None, full: bool, as_json: bool) -> None:
    """Show how similar the texts of two files are, and both texts with what they share marked.

    What they share is coloured on a terminal, and stands in numbered brackets elsewhere, or where NO_COLOR is set.
    """
    from dedup.reading import read_files

    read = read_files((a, b), json_lines=False, column="text", id_column=None, all_needed=True)
    from dedup.comparison import compare as compare_texts

    left, right = read.texts
    result = compare_texts(left, right, shingle=shingle)
    if as_json:
        fields = {name: getattr(result, name) for name in result.__dataclass_fields__ if name != "spans"}
        spans = [span._asdict() for span in result.spans]
        click.echo(json.dumps({"left": a, "right": b, **fields, "spans": spans}, ensure_ascii=False))
        return
    click.echo(f"jaccard {result.jaccard:.3f}: {result.shared:,} shared shingles")
    click.echo(f"{percent(result.left_in_right)} of {a} ({result.left_size:,}) stand in {b}")
    click.echo(f"{percent(result.right_in_left)} of {b} ({result.right_size:,}) stand in {a}")
    show_marked(((a, left), (b, right)), result, full=full)


def show_marked(texts: tuple[tuple[str, str], tuple[str, str]], result: Comparison, *, full: bool) -> None:
    """Print two texts with what they share marked: coloured on a terminal, else in brackets."""
    from rich.console import Console

    from dedup.marking import CONTEXT, mark_text, plain
    from dedup.repeated import counted

    if not result.spans:
        click.echo("\nno stretch of words stands in both")
        return
    words = sum(span.words for span in result.spans)
    stretches = "1 stretch" if len(result.spans) == 1 else f"{len(result.spans):,} stretches"
    click.echo(f"{counted(words, 'word')} of {texts[1][0]} stand in {stretches} that both have")
    for number, span in enumerate(result.spans, start=1):
        here, there = f"{span.left_start}-{span.left_end}", f"{span.right_start}-{span.right_end}"
        click.echo(f"{number:>5}: {counted(span.words, 'word')}, characters {here} and {there}")
    console = Console(highlight=False)
    coloured = console.color_system is not None and not console.no_color
    for side, (name, text) in enumerate(texts):
        spans = [(span[2 * side], span[2 * side + 1]) for span in result.spans]
        pieces = mark_text(text, spans, None if full else CONTEXT)
        click.echo(f"\n--- {name}")
        if coloured:
            console.print(painted(pieces))
        else:
            click.echo(plain(pieces).rstrip("\n"))


def painted(pieces: list[Piece]) -> Any:
    """Return pieces as rich text: each span in the colour of its number, which stands in front of it."""
    from rich.text import Text

    from dedup.marking import label

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


def report_matches(result: Matches, texts: dict[Any, str]) -> None:
    """Print each text that matches: what it is like, then its passages and where they stand first."""
    from dedup.repeated import counted

    shown: dict[Any, list[str]] = {}
    for row in result.pairs.to_pylist():
        there, back = percent(row["left_in_right"]), percent(row["right_in_left"])
        here, other = "", row["right"]
        if "left_paragraph" in row:
            here, other = f"paragraph {row['left_paragraph']} ", f"{other} paragraph {row['right_paragraph']}"
        line = f"  {here}{row['jaccard']:.3f} like {other}: {there} of it stand there, {back} of that stand here"
        shown.setdefault(row["left"], []).append(line)
    for row in result.passages.to_pylist():
        text, start, end = texts[row["left"]], row["left_start"], row["left_end"]
        source = f"{row['right']} characters {row['right_start']}-{row['right_end']}"
        shown.setdefault(row["left"], []).append(
            f"  {counted(row['words'], 'word')}, {place(text, start, end)}, stand in {source}\n"
            f"    {excerpt(text[start:end])}"
        )
    if not shown:
        click.echo("no matches found")
    for name in [name for name in texts if name in shown]:
        click.echo("\n".join([str(name), *shown[name], ""]))


def report_repeats(found: Repeats, texts: dict[str, str]) -> None:
    """Print each repeat with the lines and characters where it stands, and where it stood first."""
    from dedup.repeated import counted

    if not found:
        click.echo("no repeats found")
        return
    for number, repeat in enumerate(found, start=1):
        text = texts[str(repeat.document)]
        source = texts[str(repeat.source_document)]
        same = "" if repeat.similarity == 1.0 else f", {percent(repeat.similarity)} alike"
        count = counted(repeat.paragraphs, "paragraph")
        click.echo(f"repeat {number}: {count}, {repeat.words:,} words{same}")
        click.echo(f"  {repeat.document} {place(text, repeat.start, repeat.end)}")
        click.echo(f"  repeats {repeat.source_document} {place(source, repeat.source_start, repeat.source_end)}")
        click.echo(f"  {excerpt(text[repeat.start : repeat.end])}\n")
    click.echo(f"{percent(found.coverage)} of all characters repeat something earlier")


def report_duplicates(result: Duplicates) -> None:
    """Print each cluster: the kept member, then those that it stands for."""
    if not result.clusters.num_rows:
        click.echo("no duplicates found")
        return
    shown: dict[int, list[dict[str, Any]]] = {}
    for row in result.clusters.to_pylist():
        shown.setdefault(row["cluster"], []).append(row)
    for rows in shown.values():
        for row in sorted(rows, key=lambda row: not row["kept"]):
            name = row["id"] if "paragraph" not in row else f"{row['id']} paragraph {row['paragraph']}"
            what = "keep  " if row["kept"] else f"remove {row['reason']} {row['similarity']:.3f}"
            click.echo(f"{what:<20} {name}")
        click.echo()


def place(text: str, start: int, end: int) -> str:
    """Return where ``text[start:end]`` stands, in lines and characters."""
    first = text.count("\n", 0, start) + 1
    last = first + text.count("\n", start, end)
    lines = f"line {first}" if first == last else f"lines {first}-{last}"
    return f"{lines}, characters {start}-{end}"


def excerpt(text: str) -> str:
    """Return the beginning and the end of a text in a line."""
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:60].rstrip()} ... {line[-35:].lstrip()}"


def percent(share: float) -> str:
    """Return a share of 0 to 1 in per cent, never rounded up to all of it."""
    text = f"{100 * share:.1f}"
    return "99.9 %" if text == "100.0" and share < 1.0 else f"{text} %"


def finish(*, found: bool, check: bool, rejected: int) -> None:
    """Exit with the code that contract section 7 gives."""
    if rejected:
        sys.exit(SOME_REJECTED)
    if check and found:
        sys.exit(FOUND)
