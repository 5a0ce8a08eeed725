"""What the options of all commands have in common: short names, forms of output, limits, silence, errors, help."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import dedup
from dedup.cli import main
from dedup.cli.command import OPTION_GROUPS, Command
from dedup.cli.ending import CODES
from dedup.cli.options import CHOICES
from dedup.cli.printed import rest
from tests import corpora, corpus_files

DONE, FOUND, WRONG = 0, 1, 2
ROOT = Path(dedup.__file__).parent.parent


def call(*arguments: str | Path, **more: Any) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments], prog_name="dedup", **more)


def commands() -> dict[str, click.Command]:
    """Give all commands; those of a group are named with the group."""
    found: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        found |= {f"{name} {each}".strip(): one for each, one in inner.items()}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write families of texts, articles with a doubled body, and an index."""
    where = tmp_path_factory.mktemp("options")
    rows = [{"n": i, "text": text} for i, text in enumerate(corpora.families(count=6, size=4))]
    corpus_files.write(where, "a.jsonl", corpus_files.encode("jsonl", rows))
    corpus_files.write(where, "b.jsonl", corpus_files.encode("jsonl", rows[::3]))
    for seed in (1, 2, 3):
        (where / f"article-{seed}.txt").write_text(corpora.doubled_article(seed).text)
    before = Path.cwd()
    os.chdir(where)
    try:
        assert DONE == call("index", "create", "seen.index").exit_code
        assert DONE == call("index", "add", "seen.index", "a.jsonl").exit_code
        assert DONE == call("find", "a.jsonl", "-o", "report").exit_code
        assert DONE == call("find", "a.jsonl", "-u", "paragraph", "-o", "paragraphs", "--id", "n").exit_code
        assert DONE == call("match", "b.jsonl", "--against", "a.jsonl", "-o", "matched").exit_code
    finally:
        os.chdir(before)
    return where


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to the folder."""
    monkeypatch.chdir(folder)
    return folder


SEARCHES = {
    "find": ["find", "a.jsonl"],
    "find paragraphs": ["find", "a.jsonl", "--unit", "paragraph"],
    "repeats": ["repeats", "article-1.txt", "article-2.txt", "article-3.txt"],
    "match": ["match", "b.jsonl", "--against", "a.jsonl", "--min-words", "20"],
    "match without passages": ["match", "b.jsonl", "--against", "a.jsonl", "--no-passages"],
    "index query": ["index", "query", "seen.index", "b.jsonl"],
}


@pytest.mark.parametrize("kind", SEARCHES)
def test_csv_has_the_cells_of_json(kind: str, place: Path) -> None:
    """A header, then a row for each line of JSON, with the same values."""
    lines = [json.loads(line) for line in call(*SEARCHES[kind], "--json").stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(call(*SEARCHES[kind], "--csv").stdout)))
    assert len(lines) == len(rows) > 1
    for line, row in zip(lines, rows, strict=True):
        assert line.keys() <= row.keys()
        for name, cell in row.items():
            value = line.get(name)
            expected = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert expected == cell


@pytest.mark.parametrize("kind", SEARCHES)
def test_count_is_one_number(kind: str, place: Path) -> None:
    """Removed texts, repeats, or texts that match."""
    lines = [json.loads(line) for line in call(*SEARCHES[kind], "--json").stdout.splitlines()]
    if kind.startswith("find"):
        expected = sum(not line["kept"] for line in lines)
    else:
        expected = len(lines) if kind == "repeats" else len({line["left"] for line in lines})
    for option in ("--count", "-c"):
        assert f"{expected}\n" == call(*SEARCHES[kind], option).stdout
    assert expected > 1


@pytest.mark.parametrize("kind", [name for name in SEARCHES if name != "index query"])
def test_limit_is_of_groups(kind: str, place: Path) -> None:
    """The first clusters, repeats or texts, in each form; how many more there are is said to people."""
    lines = [json.loads(line) for line in call(*SEARCHES[kind], "--json").stdout.splitlines()]
    column = {"find": "cluster", "match": "left"}.get(kind.split()[0])
    groups = list(dict.fromkeys(line[column] for line in lines)) if column else list(range(len(lines)))
    first = call(*SEARCHES[kind], "--json", "--limit", "2")
    expected = [line for line in lines if line[column] in groups[:2]] if column else lines[:2]
    assert expected == [json.loads(line) for line in first.stdout.splitlines()]
    assert len(expected) + 1 == len(call(*SEARCHES[kind], "--csv", "-n", "2").stdout.splitlines())
    shown, whole = call(*SEARCHES[kind], "-n", "2").stdout, call(*SEARCHES[kind]).stdout
    assert re.search(rf"{len(groups) - 2} more (cluster|repeat|text)s?; --limit {len(groups)} shows all", shown)
    assert whole.startswith(shown[: shown.index(f"{len(groups) - 2} more")].rstrip("\n"))
    assert whole == call(*SEARCHES[kind], "-n", str(len(groups))).stdout


def test_the_rest_in_words() -> None:
    """Nothing is said where all is printed."""
    assert rest(None, 5, "cluster") is None
    assert rest(5, 5, "cluster") is None
    assert "1 more cluster; --limit 6 shows all" == rest(5, 6, "cluster")
    assert "1,200 more texts; --limit 1205 shows all" == rest(5, 1205, "text")


@pytest.mark.parametrize("kind", SEARCHES)
def test_quiet(kind: str, place: Path) -> None:
    """The results are the same, and standard error is empty; errors and rejects are still written."""
    loud = call(*SEARCHES[kind])
    for option in ("--quiet", "-q"):
        done = call(*SEARCHES[kind], option)
        assert (loud.stdout, "", DONE) == (done.stdout, done.stderr, done.exit_code)
    wrong = call(*SEARCHES[kind], "--quiet", "--threads", "0")
    assert (WRONG, True) == (wrong.exit_code, wrong.stderr.startswith("dedup: --threads: expected"))


def test_quiet_names_rejects(place: Path, tmp_path: Path) -> None:
    """They explain the exit code 3."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a b c"}\nnot json\n')
    done = call("find", bad, "-q")
    assert (3, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert done.stderr.startswith("dedup: rejected ")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (["find", "a.jsonl", "-t", "0.6", "-u", "line", "-k", "last", "-j", "1", "-q", "-n", "3"],
         ["find", "a.jsonl", "--threshold", "0.6", "--unit", "line", "--keep", "last", "--threads", "1", "--quiet",
          "--limit", "3"]),
        (["repeats", "article-1.txt", "-w", "30", "-t", "1.0"],
         ["repeats", "article-1.txt", "--min-words", "30", "--threshold", "1.0"]),
        (["find", "-qct0.6", "a.jsonl"], ["find", "--quiet", "--count", "--threshold=0.6", "a.jsonl"]),
        (["-V"], ["--version"]),
        (["find", "-h"], ["find", "--help"]),
    ],
    ids=lambda each: " ".join(each[:3]),
)  # fmt: skip
def test_short_options(short: list[str], long: list[str], place: Path) -> None:
    """They are the long ones."""
    expected, done = call(*long), call(*short)
    assert (expected.stdout, expected.stderr, DONE) == (done.stdout, done.stderr, done.exit_code)
    assert len(done.stdout) > 1


@pytest.mark.parametrize("pair", [("--json", "--csv"), ("--csv", "--count"), ("--count", "--json")])
@pytest.mark.parametrize("kind", ["find", "repeats", "match", "index query"])
def test_forms_exclude_each_other(kind: str, pair: tuple[str, str], place: Path) -> None:
    """Both are named."""
    done = call(*SEARCHES[kind], *pair)
    assert (WRONG, "") == (done.exit_code, done.stdout)
    assert all(each in done.stderr for each in pair)
    assert "leave one of the two out" in done.stderr


def test_a_report_that_is_there_is_printed_in_each_form(place: Path) -> None:
    """As the search was."""
    for form in ("--json", "--csv", "--count"):
        assert call("find", "a.jsonl", form).stdout == call("find", "a.jsonl", "-o", "report", form).stdout
        matched = ["match", "b.jsonl", "--against", "a.jsonl"]
        assert call(*matched, form).stdout == call(*matched, "-o", "matched", form).stdout


def test_no_passages(place: Path, tmp_path: Path) -> None:
    """The pairs are the same, no passage is looked for, and the report has none."""
    report = tmp_path / "report"
    done = call("match", "b.jsonl", "--against", "a.jsonl", "--no-passages", "-o", report, "--json")
    both = call("match", "b.jsonl", "--against", "a.jsonl", "--json")
    pairs = [line for line in both.stdout.splitlines() if '"kind": "pair"' in line]
    assert pairs == done.stdout.splitlines()
    assert "passage of" not in done.stderr
    assert not (report / "spans.parquet").exists()
    again = call("match", "b.jsonl", "--against", "a.jsonl", "--no-passages", "-o", report, "--json")
    assert pairs == again.stdout.splitlines()
    assert "already contains the report" in again.stderr
    for option in ("--min-words=5", "--passage-threshold=1"):
        wrong = call("match", "b.jsonl", "--against", "a.jsonl", "--no-passages", option)
        assert f"dedup: {option.partition('=')[0]}: expected no such option with --no-passages" in wrong.stderr


def test_seed_of_lsh(place: Path, tmp_path: Path) -> None:
    """It is in the report if it is not 1, and another seed is another search."""
    report = tmp_path / "report"
    assert DONE == call("find", "a.jsonl", "--method", "lsh", "--seed", "7", "-o", report).exit_code
    assert 7 == dedup.Report.open(report).options["seed"]
    done = call("find", "a.jsonl", "--method", "lsh", "-o", report)
    assert WRONG == done.exit_code
    assert "seed" in done.stderr
    assert "seed" not in dedup.Report.open(place / "report").options


def test_choices_are_those_of_the_library() -> None:
    """What the help shows is what the library takes."""
    from dedup.hashing.forms import DISTINCT
    from dedup.index.reading import METRICS, PAIR_ORDERS
    from dedup.index.settings import HASHES_ALONE, WITH_TEXT
    from dedup.pipelines.query import LISTINGS, METHODS
    from dedup.threshold import Metric

    expected = {"metric": [str(each) for each in Metric], "method": METHODS, "pairs": LISTINGS}
    expected |= {"distinct": DISTINCT, "order": PAIR_ORDERS, "store": (HASHES_ALONE, WITH_TEXT)}
    assert {name: tuple(words) for name, words in expected.items()} == CHOICES
    assert METRICS == CHOICES["metric"][:2]


# --------------------------------------------------------------------------------------------------------- errors

MEANT = {
    "an option": (["find", "a.jsonl", "--treshold", "0.7"], "--treshold: expected an option of dedup find"),
    "an underscore": (["find", "a.jsonl", "--min_documents", "2"], "did you mean --min-documents"),
    "another tool's name": (["find", "a.jsonl", "--text-key", "body"], "did you mean --column"),
    "another tool's jobs": (["repeats", "article-1.txt", "--jobs", "2"], "did you mean --threads"),
    "a command": (["fnd", "a.jsonl"], "expected a command of dedup, found 'fnd'; did you mean dedup find"),
    "a command of the index": (["index", "quary", "x"], "found 'quary'; did you mean dedup index query"),
    "an unknown command": (["zzz"], "expected a command of dedup, found 'zzz'; dedup --help lists the commands"),
    "an unknown option": (["find", "a.jsonl", "--zzz"], "found none of this name; dedup find --help lists them"),
    "a metric": (["find", "a.jsonl", "--metric", "jacard"], "found 'jacard'; did you mean 'jaccard'"),
    "a unit in capitals": (["find", "a.jsonl", "--unit", "Lines"], "found 'Lines'; did you mean 'line'"),
    "a policy": (["find", "a.jsonl", "--keep", "frist"], "--keep: .*found 'frist'; did you mean 'first'"),
    "a policy of time": (["find", "a.jsonl", "--keep", "newest"], "found 'newest'; did you mean 'max:COLUMN'"),
    "a format": (["find", "a.jsonl", "--format", "jsnl"], "--format: .*found 'jsnl'; did you mean 'jsonl'"),
    "a column": (["find", "a.jsonl", "--column", "txt"], "--column \"txt\": .*; did you mean 'text'"),
    "a column to keep by": (["find", "a.jsonl", "--keep", "max:texd"], "\"texd\": .*; did you mean 'text'"),
    "a column of a side": (["match", "b.jsonl", "--against", "a.jsonl", "--column", "txt"], "NEW: .*mean 'text'"),
    "an id of a report": (["compare", "a.jsonl:1", "a.json:2", "--report", "report"], "found 'a.json:2'; did you mean"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MEANT)
def test_what_was_meant(kind: str, place: Path) -> None:
    """One line, in the form of all errors, with the word that was probably meant."""
    arguments, says = MEANT[kind]
    done = call(*arguments)
    assert (WRONG, "", 1) == (done.exit_code, done.stdout, len(done.stderr.splitlines())), done.stderr
    assert re.match(r"dedup: (.*: )?(.*expected|.*no such column).*", done.stderr)
    assert re.search(says, done.stderr), done.stderr


def test_advice_names_options(place: Path) -> None:
    """What a message says to pass is what a shell takes."""
    (place / "bad.jsonl").write_text('{"text": "a b c"}\nno json\n', encoding="utf-8")
    done = call("find", "bad.jsonl", "--on-error", "fail")
    assert done.exit_code == WRONG
    assert "pass --on-error quarantine to continue without it" in done.stderr


@pytest.mark.parametrize("command", [name for name in commands() if commands()[name].params])
def test_an_option_with_one_value_is_given_once(command: str) -> None:
    """Each of them, on each command; flags, and options that can be given several times, may be repeated."""
    once = 0
    for option in commands()[command].params:
        if not isinstance(option, click.Option) or option.is_flag or option.hidden:
            continue
        done = call(*command.split(), *[f"{option.opts[0]}=1"] * 2)
        assert WRONG == done.exit_code
        assert option.multiple != (f"{option.opts[0]}: expected one value, found 2; leave one out" in done.stderr)
        once += not option.multiple
    if "id_column" in {each.name for each in commands()[command].params}:
        assert once > 3


def test_short_and_long_are_one_option(place: Path) -> None:
    """-t and --threshold together are twice."""
    assert "--threshold: expected one value, found 2" in call("find", "a.jsonl", "-t", "0.7", "--threshold=0.8").stderr
    assert DONE == call("find", "a.jsonl", "-q", "-q", "--quiet").exit_code
    assert DONE == call("find", "a.jsonl", "--id", "n", "--id", "n", "--help").exit_code


# ----------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", commands())
def test_help(command: str) -> None:
    """Options in groups, two examples at least that parse, and exit codes."""
    done = call(*command.split(), "--help")
    assert (DONE, "") == (done.exit_code, done.stderr)
    one = commands()[command]
    assert isinstance(one, Command)
    assert len(one.examples) > 1
    for example in one.examples:
        assert f"  {example}\n" in done.stdout
        assert f"dedup {command}" in example
    assert "\nExit codes:\n  0    done\n" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
    known = {name for names in OPTION_GROUPS.values() for name in names.split()}
    assert [] == [each.name for each in one.params if isinstance(each, click.Option) and each.name not in known
                  and not each.hidden]  # fmt: skip


@pytest.mark.parametrize("command", commands())
def test_examples_parse(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a call that click accepts."""
    import shlex

    ran: list[str] = []
    one = commands()[command]
    monkeypatch.setattr(one, "callback", lambda *_, **__: ran.append("ran"))
    for example in one.examples:
        words = shlex.split(re.split(r" (?:\||>) ?", example, maxsplit=1)[0], comments=True)
        words = (
            shlex.split(re.split(r" > ", example.split(" | dedup")[-1])[0], comments=True)
            if words[0] == "cat"
            else words
        )
        words = words[words.index("dedup") + 1 :] if "dedup" in words else words
        done = call(*words)
        assert DONE == done.exit_code, (example, done.stderr)
    assert len(one.examples) == len(ran)


def test_codes_in_help() -> None:
    """Those that a command gives."""
    assert set(CODES) - {3} == set(commands()["compare"].codes()) | {1}  # type: ignore[attr-defined]
    assert {1, 3} <= set(commands()["find"].codes())  # type: ignore[attr-defined]
    assert {3} <= set(commands()["index check"].codes())  # type: ignore[attr-defined]
    assert 1 not in commands()["clean"].codes()  # type: ignore[attr-defined]


def test_help_as_a_command(place: Path) -> None:
    """``dedup help find`` is what people type."""
    assert call("find", "--help").stdout == call("help", "find").stdout
    assert call("--help").stdout == call("help").stdout
    assert call("index", "add", "--help").stdout == call("help", "index", "add").stdout
    listed = call("--help").stdout
    assert all(re.search(rf"^  {name} ", listed, re.MULTILINE) for name in main.commands)


# -------------------------------------------------------------------------------------------------------- compare


def test_compare_of_two_rows(place: Path) -> None:
    """The texts of the report, with the options of the search, unless others are given."""
    row = json.loads(call("review", "report", "--json", "--limit", "1").stdout)
    done = json.loads(call("compare", row["id"], row["kept_id"], "--report", "report", "--json").stdout)
    assert (row["shared"], row["size"], row["kept_size"]) == (done["shared"], done["left_size"], done["right_size"])
    other = json.loads(
        call("compare", row["id"], row["kept_id"], "--report", "report", "--shingle", "words:1", "--json").stdout
    )
    assert other["shared"] != done["shared"]
    wrong = call("compare", row["id"], row["kept_id"], "--report", "nothing")
    assert "nothing/report.json: expected a part of a report, found none" in wrong.stderr


def test_compare_of_paragraphs_and_matches(place: Path) -> None:
    """``ID#NUMBER`` is a paragraph; in a match the second text is one of OLD."""
    row = json.loads(call("review", "paragraphs", "--json", "--limit", "1").stdout)
    names = f"{row['id']}#{row['paragraph']}", f"{row['kept_id']}#{row['kept_paragraph']}"
    done = json.loads(call("compare", *names, "--report", "paragraphs", "--json").stdout)
    assert (row["shared"], row["size"]) == (done["shared"], done["left_size"])
    wrong = call("compare", "0#99", "1", "--report", "paragraphs")
    assert "expected the number of a paragraph from 0 to " in wrong.stderr
    pair = next(
        json.loads(line) for line in call("match", "b.jsonl", "--against", "a.jsonl", "--json").stdout.splitlines()
    )
    done = json.loads(call("compare", pair["left"], pair["right"], "--report", "matched", "--json").stdout)
    assert (pair["shared"], pair["jaccard"]) == (done["shared"], done["jaccard"])
    assert WRONG == call("compare", pair["right"], pair["left"], "--report", "matched").exit_code


# ------------------------------------------------------------------------------------------------- completion, man


def complete(words: str, number: int) -> list[str]:
    """Give what bash would be offered."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "_DEDUP_COMPLETE": "bash_complete", "COMP_WORDS": words}
    done = subprocess.run(
        [sys.executable, "-m", "dedup"],
        env={**env, "COMP_CWORD": str(number)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (DONE, "") == (done.returncode, done.stderr)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "number", "expected"),
    [
        ("dedup re", 1, ["plain,repeats", "plain,review"]),
        ("dedup find --thr", 2, ["plain,--threshold", "plain,--threads"]),
        ("dedup find --unit ", 3, ["plain,document", "plain,paragraph", "plain,line"]),
        ("dedup find art", 2, ["file,art"]),
        ("dedup index fil", 2, ["plain,filter-new"]),
    ],
)
def test_completion(words: str, number: int, expected: list[str]) -> None:
    """Commands, options, words, and else files."""
    assert sorted(expected) == sorted(complete(words, number))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    """They ask the variable that dedup answers; bash reads its own."""
    done = call("completion", shell)
    assert (DONE, "") == (done.exit_code, done.stderr)
    assert f"_DEDUP_COMPLETE={shell}_complete" in done.stdout
    if shell == "bash":
        assert DONE == subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=False).returncode
    assert WRONG == call("completion", "powershell").exit_code


def test_the_manual_page() -> None:
    """All commands with all options and codes, and no line that man could take for a request."""
    page = call("man").stdout
    plain = page.replace(r"\-", "-").replace(r"\fB", "").replace(r"\fR", "").replace(r"\e", "\\")
    for name, command in commands().items():
        assert f".SS dedup {name} " in plain
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[0] in plain
    assert all(f"\n.TP\n{code}\n" in plain for code in CODES)
    known = {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi", ".nh", ".ad", ".RS", ".RE"}
    assert {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))} <= known
    assert page.count(".nf\n") == page.count("\n.RE\n.fi")


# ------------------------------------------------------------------------------------------------- the first byte


def test_a_terminal_is_told_before_anything_slow_is_loaded(place: Path) -> None:
    """The first bytes are written before numpy and pyarrow are loaded, and replaced by what follows."""
    program = """
import sys
class Terminal:
    encoding, errors, first, text = "utf-8", "strict", None, ""
    def isatty(self): return True
    def flush(self): pass
    def fileno(self): return 2
    def write(self, text):
        if self.first is None:
            self.first = [name for name in ("numpy", "pyarrow", "rich", "numba") if name in sys.modules]
        self.text += text
sys.stderr = Terminal()
from dedup.cli import main
try:
    main(["find", "a.jsonl", *sys.argv[1:]])
except SystemExit as stop:
    print(repr(sys.stderr.text[:12]), sys.stderr.first, stop.code)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}

    def run(*arguments: str, **variables: str) -> str:
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, env=env | variables, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()[-1]

    assert r"'reading ...\r' [] 0" == run()
    assert "'' None 0" == run("--quiet")
    assert not run(TERM="dumb").startswith("'reading")


# ------------------------------------------------------------------------------------------------- verbose


def test_verbose_writes_the_log(place: Path) -> None:
    """Stages and their seconds on standard error, results on standard output; the log is silent again afterwards."""
    import logging

    plain = call("find", "a.jsonl", "--quiet")
    done = call("find", "a.jsonl", "-v")
    assert (plain.exit_code, plain.stdout) == (done.exit_code, done.stdout)
    lines = [line for line in done.stderr.splitlines() if re.match(r"dedup: +\d+\.\d\d s: ", line)]
    assert re.search(r"s: dedup \d+\.\d+\.\d+\S*, Python 3\.\d+", lines[0])
    assert any(re.search(r"s: read: done in \d+\.\d\d s$", line) for line in lines)
    assert lines[-1].endswith("s: done")
    assert ([], logging.NOTSET) == (logging.getLogger("dedup").handlers, logging.getLogger("dedup").level)
    for options in (["-vq"], ["-q", "--verbose"]):
        done = call("find", "a.jsonl", *options)
        assert (WRONG, "") == (done.exit_code, done.stdout)
        assert "--verbose: expected no --quiet beside it" in done.stderr


def test_a_run_that_is_stopped_and_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log ends with how the run ended; on a terminal one line says that a stopped run goes on, and from where."""
    from dedup.cli import inputs
    from dedup.cli.commands import find

    def stop(stage: str, _: int, __: int) -> None:
        if stage == "join":
            raise KeyboardInterrupt

    def stop_reading(stage: str, _: int, __: int) -> None:
        if stage == "read":
            raise KeyboardInterrupt

    command = ["find", "a.jsonl", "--work-dir", "work"]
    with monkeypatch.context() as patch:
        patch.setattr(find, "progress", lambda: stop)
        done = call(*command, "-v")
    assert done.exit_code == 130
    assert re.search(r"s: interrupted\ndedup: interrupted; the intermediate results are kept in work", done.stderr)
    shutil.copytree("work", "copy")
    assert "resumed" not in call(*command).stderr
    with monkeypatch.context() as patch:  # nothing is kept yet: only a manifest that names no part
        patch.setattr(find, "progress", lambda: stop_reading)
        done = call("find", "a.jsonl", "--work-dir", "early")
    assert (130, "dedup: interrupted\n") == (done.exit_code, done.stderr)
    assert Path("early", "manifest.json").exists()
    for number, (option, terminal, said) in enumerate(
        [([], True, 1), (["-q"], True, 0), (["-v"], True, 1), ([], False, 0)]
    ):
        work = f"work {number}"
        shutil.copytree("copy", work)
        with monkeypatch.context() as patch:
            patch.setattr(inputs, "sys", SimpleNamespace(stderr=SimpleNamespace(isatty=lambda there=terminal: there)))
            done = call("find", "a.jsonl", "--work-dir", work, *option)
        assert done.exit_code == 0
        assert done.stderr.count(f"parts of a stopped run are in {work}") == said
    assert "s: ended by an error" in call("find", "nowhere.jsonl", "-v").stderr


def test_all_exit_codes_are_in_the_help() -> None:
    """Those of signals and of the disk too."""
    shown = call("find", "--help").stdout
    assert all(re.search(rf"\n  {code} +\w", shown) for code in (0, 1, 2, 3, 70, 74, 130, 143))
