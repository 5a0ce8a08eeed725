"""The command line: the same functions, in the field's words.

``dedup repeats FILE...``   repeated blocks inside a text and across texts
``dedup find INPUT...``     duplicate documents, paragraphs or lines, in files of texts (see `dedup.files`)
``dedup match NEW... --against OLD``   what of some texts stands in others
``dedup compare A B``       two files: how similar, and where
``dedup estimate INPUT...`` what a find would do and take
``dedup apply REPORT``      what a report keeps, written to new files

Data goes to stdout (for people; JSON lines with --json), everything else to stderr; `dedup.cli.ending` has the exit
codes.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from dedup import __version__
from dedup.cli.apply import apply
from dedup.cli.ending import FOUND, SOME_REJECTED, end, say, say_json, tell, writing
from dedup.cli.inputs import ByName, Inputs, read_one, reading
from dedup.cli.printing import percent, report_duplicates, report_matches, report_repeats, show_marked
from dedup.errors import ParameterError
from dedup.hash_key import choose_key, read_key
from dedup.terminal import clean

UNITS = ("document", "paragraph", "line")


class Group(click.Group):
    """The commands; what ends one of them becomes an exit code and a line on stderr (`dedup.cli.ending`)."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command, and end the process with its code."""
        if not standalone_mode or "_DEDUP_COMPLETE" in os.environ:  # a shell asks
            super().main(args, prog_name, complete_var, standalone_mode, **extra)
            sys.exit(0)

        def command() -> Any:
            with writing():  # it prints the help, if that is asked for
                context = self.make_context(prog_name or "dedup", list(sys.argv[1:] if args is None else args), **extra)
            with context:
                return self.invoke(context)

        end(command)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="dedup")
def main() -> None:
    """Find repeated paragraphs and repeated whole articles, exact and nearly so."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


main.add_command(apply)


COMMON = [
    click.option("--json", "as_json", is_flag=True, help="Write JSON lines instead of a report for people."),
    click.option("--check", is_flag=True, help="Exit with code 1 if anything was found."),
    click.option("--threads", type=int, help="Threads; by default all processors that the process may use."),
]


def _key(_: click.Context, __: click.Parameter, path: str | None) -> bytes | None:
    return None if path is None else read_key(path)


keyed = click.option(
    "--hash-key-file",
    "hash_key",
    metavar="FILE",
    callback=_key,
    help="A secret key of the hashes, for texts of strangers; by default DEDUP_HASH_KEY, or a public key.",
)


def common(command: Any) -> Any:
    """Add the options that every search has."""
    for option in reversed(COMMON):
        command = option(command)
    return command


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--min-words", type=int, default=50, show_default=True, help="Words that a repeat has at least.")
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a repeat.")
@click.option("--id", "id_column", help="Column or JSON field of the id; by default FILE:NUMBER.")
@click.option("--memory", help='A bound, such as "4GB"; the texts are then read more than once where they must be.')
@click.option("--output", metavar="FOLDER", help="Write a report: a new folder, whole or not at all.")
@keyed
@reading
@common
def repeats(
    files: tuple[str, ...],
    min_words: int,
    threshold: float,
    id_column: str | None,
    memory: str | None,
    hash_key: bytes | None,
    as_json: bool,
    check: bool,
    threads: int | None,
    column: str,
    output: str | None,
    **how: Any,
) -> None:
    """Find stretches of text that repeat an earlier one, inside a text and across texts.

    A FILE is a text in UTF-8, or holds texts (.jsonl, .csv, .parquet, .arrow); a folder stands for its files, "-" for
    standard input. Earlier means earlier in the same text, or in a text before it; files are taken in the order of
    their paths.
    """
    inputs = Inputs(**how)
    texts = inputs.open(files, column=column, id=id_column)
    from dedup.pipelines.repeats import find_repeats

    asked = {"id": id_column, "column": column, "min_words": min_words, "threshold": threshold, "format": how["format"]}
    asked["hash_key"] = choose_key(hash_key).fingerprint
    if output is not None:
        from dedup.cli.find import check_output, show_report

        standing = check_output(output, asked, texts)
        if standing is not None:
            some = show_report(standing, inputs, as_json=as_json)
            finish(found=some, check=check, rejected=inputs.rejected())
            return
    how_found: dict[str, Any] = {"min_words": min_words, "threshold": threshold}
    found = find_repeats(texts, **how_found, memory=memory, hash_key=hash_key, threads=threads)
    if output is not None:
        from dedup.cli.find import write_output

        write_output(output, found, asked, column=column, id=id_column, **how_found)
    if as_json:
        for repeat in found:
            say_json(repeat._asdict())
    else:
        report_repeats(found, ByName(texts), min_words)
    tell_output(output)
    finish(found=len(found) > 0, check=check, rejected=inputs.rejected())


@main.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--unit", type=click.Choice(UNITS), default="document", show_default=True)
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair.")
@click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment.")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs and lines words:3.')
@click.option("--method", default="auto", show_default=True, help="auto, exact or lsh.")
@click.option("--recall", type=float, default=0.999, show_default=True, help="Promised at the threshold (lsh).")
@click.option(
    "--keep", default="first", show_default=True, help="first, last, longest, shortest, max:COLUMN or min:COLUMN."
)
@click.option("--id", "id_column", help="Column or JSON field of the id; by default FILE:NUMBER.")
@click.option("--pairs", default="auto", show_default=True, help="auto or all.")
@click.option("--output", metavar="FOLDER", help="Write a report: a new folder, whole or not at all.")
@click.option("--memory", help='A bound, such as "4GB"; what does not fit goes to the work directory.')
@click.option("--work-dir", metavar="FOLDER", help="Where a run keeps what it has done; by default beside --output.")
@click.option("--fresh", is_flag=True, help="Begin again, whatever stands in the work directory.")
@click.option("--log-json", is_flag=True, help="Write progress to stderr as JSON lines.")
@keyed
@reading
@common
def find(
    inputs: tuple[str, ...],
    as_json: bool,
    check: bool,
    column: str,
    id_column: str | None,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    output: str | None,
    **options: Any,
) -> None:
    """Find duplicates, exact and nearly so, among whole documents, paragraphs or lines.

    An INPUT is a text file (a document), or holds documents (.jsonl, .csv, .parquet, .arrow); a folder stands for its
    files, "-" for standard input. With --output a report is written; a run that was stopped goes on where it was when
    the same command is given again.
    """
    from dedup.cli.find import search_files, show_report
    from dedup.report.read import Report
    from dedup.results.summary import hint_of

    read = Inputs(format=format, on_error=on_error, max_errors=max_errors)
    result = search_files(inputs, read, format=format, column=column, id=id_column, output=output, **options)
    if isinstance(result, Report):
        some = show_report(result, read, as_json=as_json)
        finish(found=some, check=check, rejected=read.rejected())
        return
    if as_json:
        for row in result.clusters.to_pylist():
            say_json(row)
    elif output is None:
        report_duplicates(result)
    tell_output(output)
    tell(f"{result.summary}{hint_of(result.closest)}")
    finish(found=result.summary.clusters > 0, check=check, rejected=read.rejected())


@main.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--unit", type=click.Choice(UNITS), default="document", show_default=True)
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair.")
@click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment.")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs and lines words:3.')
@click.option("--method", default="auto", show_default=True, help="auto, exact or lsh.")
@click.option("--memory", help='A bound, such as "4GB".')
@click.option("--threads", type=int, help="Threads; by default all processors that the process may use.")
@keyed
@reading
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def estimate(
    inputs: tuple[str, ...],
    as_json: bool,
    column: str,
    format: str | None,
    on_error: str,
    max_errors: str | None,
    **options: Any,
) -> None:
    """Say what `dedup find` would do with the same inputs, and what memory and time it would take."""
    read = Inputs(format=format, on_error=on_error, max_errors=max_errors)
    texts = read.open(inputs, column=column, id=None)
    from dedup.pipelines.estimate import estimate as plan_of

    plan = plan_of(texts, **options)
    if as_json:
        say_json(plan.to_dict())
    else:
        say(str(plan))
    finish(found=False, check=False, rejected=read.rejected())


@main.command()
@click.argument("new", metavar="NEW...", nargs=-1, required=True)
@click.option("--against", multiple=True, required=True, metavar="OLD", help="Texts to look in; may be repeated.")
@click.option("--unit", type=click.Choice(UNITS), default="document", show_default=True)
@click.option("--threshold", type=float, default=0.8, show_default=True, help="Least similarity of a pair.")
@click.option("--metric", default="jaccard", show_default=True, help="jaccard or containment.")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5, for paragraphs and lines words:3.')
@click.option("--min-words", type=int, default=50, show_default=True, help="Words that a passage has at least.")
@click.option("--id", "id_column", help="Column or JSON field of the id; by default FILE:NUMBER.")
@click.option("--against-column", help="The same of OLD; by default as --column.")
@click.option("--against-id", help="The same of OLD; by default FILE:NUMBER.")
@click.option("--memory", help='A bound, such as "4GB"; the texts are then read more than once where they must be.')
@click.option("--output", metavar="FOLDER", help="Write a report: a new folder, whole or not at all.")
@keyed
@reading
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
    format: str | None,
    on_error: str,
    max_errors: str | None,
    output: str | None,
    **options: Any,
) -> None:
    """Find what of NEW stands in OLD: whole texts, exactly and nearly so, and passages word for word.

    NEW and OLD are text files (a text each), or hold texts (.jsonl, .csv, .parquet, .arrow); a folder stands for its
    files, "-" for standard input. Texts of one side are never compared with each other.
    """
    from dedup.sources.two_sided import naming, renaming

    if "-" in new and "-" in against:
        raise ParameterError('--against: "-" is standard input, which NEW reads already; name a file')
    inputs = Inputs(format=format, on_error=on_error, max_errors=max_errors).checked()
    with naming("NEW"):
        left = inputs.open(new, column=column, id=id_column)
    with naming("--against"):
        right = inputs.open(against, column=column if against_column is None else against_column, id=against_id)
    from dedup.cli.find import check_output, show_report, write_output
    from dedup.pipelines.match import match as match_texts
    from dedup.results.summary import hint_of

    named = {"column": column, "id": id_column, "against_column": against_column, "against_id": against_id}
    asked = {name: value for name, value in options.items() if name not in ("memory", "hash_key")}
    asked |= {**named, "format": format, "hash_key": choose_key(options["hash_key"]).fingerprint}
    standing = check_output(output, asked, left, right)
    if standing is not None:
        some = show_report(standing, inputs, as_json=as_json)
        finish(found=some, check=check, rejected=inputs.rejected())
        return
    with renaming({"texts": "NEW", "against": "--against"}):
        result = match_texts(left, right, threads=threads, **options)
    write_output(output, result, asked, **named)
    if as_json:
        for kind, table in (("pair", result.pairs), ("passage", result.passages)):
            for row in table.to_pylist():
                say_json({"kind": kind, **row})
    else:
        report_matches(result, ByName(left))
    tell_output(output)
    tell(f"{result.summary}{hint_of(result.closest)}")
    found = result.summary.pairs > 0 or bool(result.summary.passages)
    finish(found=found, check=check, rejected=inputs.rejected())


@main.command()
@click.argument("a")
@click.argument("b")
@click.option("--shingle", help='"words:n" or "chars:n"; by default words:5.')
@click.option("--full", is_flag=True, help="Show long texts whole, not only the surroundings of what they share.")
@keyed
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def compare(a: str, b: str, shingle: str | None, full: bool, hash_key: bytes | None, as_json: bool) -> None:
    """Show how similar the texts of two files are, and both texts with what they share marked.

    What they share is coloured on a terminal, and stands in numbered brackets elsewhere, or where NO_COLOR is set.
    """
    left, right = read_one(a), read_one(b)
    from dedup.pipelines.compare import compare as compare_texts

    result = compare_texts(left, right, shingle=shingle, hash_key=hash_key)
    if as_json:
        fields = {name: getattr(result, name) for name in result.__dataclass_fields__ if name != "spans"}
        spans = [span._asdict() for span in result.spans]
        say_json({"left": a, "right": b, **fields, "spans": spans})
        return
    say(f"jaccard {result.jaccard:.3f}: {result.shared:,} shared shingles")
    say(f"{percent(result.left_in_right)} of {clean(a)} ({result.left_size:,}) stand in {clean(b)}")
    say(f"{percent(result.right_in_left)} of {clean(b)} ({result.right_size:,}) stand in {clean(a)}")
    show_marked(((a, left), (b, right)), result, full=full)


def tell_output(output: str | None) -> None:
    """Say where a report was written."""
    if output is not None:
        tell(f"report written to {clean(output)}")


def finish(*, found: bool, check: bool, rejected: int) -> None:
    """Exit with the code of what was rejected, or of what was found and asked for by ``--check``."""
    if rejected:
        sys.exit(SOME_REJECTED)
    if check and found:
        sys.exit(FOUND)
