"""The documents as they are laid out: whole tables, nothing printed twice, no reference to what a reader cannot open.

Documents are the pages, and what the code has for its readers: docstrings, comments, names of tests.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import dedup
from dedup.index.adding.incoming import RESUMED_HASHES
from dedup.pipelines.memory import FilePlan
from tests.test_docs import FENCED, PAGES, ROOT, name_of, read

CELL = re.compile(r"(?<!\\)\|")
RULE = re.compile(r" *:?-+:? *")
SOURCES = [
    file
    for folder in ("dedup", "tests", "benchmarks")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "runs" not in file.parts
]
SETTINGS = [file for file in (ROOT / "pyproject.toml", ROOT / ".ci" / "run") if file.is_file()]

# what a work of others is named by, beside the number of a section in it
CITED = re.compile(r"RFC|edition|volume|Unicode|UAX|Licen[cs]e", re.IGNORECASE)
ELSEWHERE = {
    "a contract": re.compile(r"\bcontract(?!s?\]|or)", re.IGNORECASE),
    "a number of a requirement": re.compile(r"(?<![\w\"'])T[1-9][0-9]?\b(?!:[0-9])|\btest_t[0-9]+_"),
    "an issue": re.compile(r"\b(?:issues? #?[0-9]+|(?:the|an|this|next|later) issues?\b)", re.IGNORECASE),
    "a brief": re.compile(
        r"\bthe (?:design|brief|specification|spec|roadmap|milestone|ticket)\b(?! of\b)", re.IGNORECASE
    ),
}
SECTION = re.compile(r"\b(?:sections?|chapters?) [0-9]", re.IGNORECASE)
PAGE = re.compile(r"(?<![\w*?./-])[\w./-]*\w\.md\b")

pytestmark = pytest.mark.skipif(not PAGES, reason="the documents are not beside the tests")


@dataclass(frozen=True)
class Table:
    """Lines that begin with a bar, one below the other, and the number of the first one."""

    line: int
    rows: tuple[str, ...]

    def faults(self) -> list[str]:
        """Say what is wrong with the table, line by line."""
        cells = [CELL.split(row.strip().strip("|")) for row in self.rows]
        if len(cells) < 2 or not all(RULE.fullmatch(cell) for cell in cells[1]):
            return [f"line {self.line}: no rule below the first row; a blank line may part it from its head"]
        wrong = [
            f"line {self.line + number}: {len(row)} cells below a head of {len(cells[0])}"
            for number, row in enumerate(cells)
            if len(row) != len(cells[0])
        ]
        if len(cells) == 2:
            wrong.append(f"line {self.line}: a head without a row")
        counts = Counter(self.rows)
        return wrong + [
            f"line {self.line + number}: occurs {counts[row]} times: {row[:60]}"
            for number, row in enumerate(self.rows)
            if counts[row] > 1 and row not in self.rows[:number]
        ]


def tables(text: str) -> list[Table]:
    """Give the tables of a page; code is none."""
    hidden = FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    found: list[Table] = []
    rows: list[str] = []
    for number, line in enumerate([*hidden.split("\n"), ""], start=1):
        if line.startswith("|"):
            rows.append(line)
        elif rows:
            found.append(Table(number - len(rows), tuple(rows)))
            rows = []
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_tables_are_whole(page: Path) -> None:
    """Each table has a head, a rule, rows of as many cells, and none of them twice."""
    assert [fault for table in tables(read(page)) for fault in table.faults()] == []


def test_no_table_is_printed_twice() -> None:
    """No two tables of all pages are the same."""
    seen: dict[tuple[str, ...], str] = {}
    twice = []
    for page in PAGES:
        for table in tables(read(page)):
            place = f"{name_of(page)}, line {table.line}"
            if table.rows in seen:
                twice.append(f"{place}: as in {seen[table.rows]}")
            seen.setdefault(table.rows, place)
    assert twice == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_paragraph_is_printed_twice(page: Path) -> None:
    """No paragraph of thirty words or more occurs twice in a page."""
    hidden = FENCED.sub("", read(page))
    counts = Counter(part.strip() for part in re.split(r"\n\s*\n", hidden) if len(part.split()) >= 30)
    assert [part[:80] for part, count in counts.items() if count > 1] == []


def test_a_broken_table_is_noticed() -> None:
    """The test of tables fails where one is broken: a check of the check."""
    head = "| a | b |\n|---|---|\n"
    for text, fault in (
        (f"{head}| 1 | 2 |\n\n| 3 | 4 |\n", "line 5: no rule"),
        ("| a | b |\n| 1 | 2 |\n", "line 1: no rule"),
        (f"{head}| 1 | 2 | 3 |\n", "line 3: 3 cells below a head of 2"),
        (f"{head}| 1 |\n", "line 3: 1 cells"),
        (f"{head}| 1 | 2 |\n| 3 | 4 |\n| 1 | 2 |\n", "line 3: occurs 2 times"),
        (head, "line 1: a head without a row"),
    ):
        (found,) = [fault for table in tables(text) for fault in table.faults()]
        assert found.startswith(fault)
    whole = f"text\n\n{head}| `a\\|b` | 2 |\n| | |\n\n```text\n| no table |\n```\n"
    assert [table.faults() for table in tables(whole)] == [[]]


@cache
def said(file: Path) -> tuple[tuple[int, str], ...]:
    """Give what a file of code says to its readers, with the lines: comments, docstrings, names of functions."""
    text = file.read_text(encoding="utf-8")
    found = [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not isinstance(node, ast.Module):
                found.append((node.lineno, node.name))
            if node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
                lines = str(node.body[0].value.value).split("\n")
                found += [(node.body[0].lineno + number, line) for number, line in enumerate(lines)]
    return tuple(found)


def statements() -> list[tuple[str, str, int, str]]:
    """Give all lines that people read, with the file, its name, and the number of the line."""
    found = [(name_of(file), "code", line, text) for file in SOURCES for line, text in said(file)]
    for page in PAGES:
        lines = FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), read(page)).split("\n")
        found += [(name_of(page), "page", number, line) for number, line in enumerate(lines, start=1)]
    for file in SETTINGS:
        lines = file.read_text(encoding="utf-8").split("\n")
        comments = [(number, line.partition("#")[2]) for number, line in enumerate(lines, start=1) if "#" in line]
        found += [(name_of(file), "settings", number, comment) for number, comment in comments]
    return found


def outside(text: str) -> list[str]:
    """Say to what a line refers that is not in the repository."""
    found = [f"{what} ({hit[0]!r})" for what, pattern in ELSEWHERE.items() if (hit := pattern.search(text))]
    if (hit := SECTION.search(text)) and not CITED.search(text):
        found.append(f"a section of an unknown work ({hit[0]!r})")
    return found


def test_no_reference_to_what_is_not_there() -> None:
    """Pages, docstrings, comments and names refer to nothing that a reader of the repository cannot open."""
    assert [f"{name}:{line}: {what}" for name, _, line, text in statements() for what in outside(text)] == []


def test_pages_that_are_named_are_there() -> None:
    """A page that is named in a comment, a docstring or another page is in the repository."""
    there = {page.name for page in PAGES} | {file.name for file in (ROOT / "benchmarks").glob("*.md")}
    written = {"summary.md"}  # by the benchmarks, where they are told to
    gone = [
        f"{name}:{line}: {hit}"
        for name, kind, line, text in statements()
        if kind != "page" and not name.startswith("tests/")
        for hit in PAGE.findall(text)
        if Path(hit).name not in there | written
    ]
    assert gone == []


def test_files_that_are_named_are_there() -> None:
    """A file of the package, the tests or the benchmarks that a page names is in the repository."""
    name = re.compile(r"`((?:dedup|tests|benchmarks)/[\w/]+\.py)`")
    named = {(name_of(page), hit) for page in PAGES for hit in name.findall(read(page))}
    assert len(named) > 20
    assert sorted(each for each in named if not (ROOT / each[1]).is_file()) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("as the Contract says", "a contract"),
        ("T" + "7: aligned spans", "a number of a requirement"),
        ("test_t" + "12_spans", "a number of a requirement"),
        ("see issue #12", "an issue"),
        ("The design has one file", "a brief"),
        ("as section 7 gives", "a section of an unknown work"),
    ],
)
def test_a_reference_outside_is_noticed(line: str, fault: str) -> None:
    """A check of the check."""
    assert [fault] == [found.partition(" (")[0] for found in outside(line)]
    assert outside("Knuth, volume 3, section 5.2.5; RFC 8259, section 7; the t test; T and U; 2024-01-01T12:00") == []


def test_the_figures_of_the_readme_are_measured() -> None:
    """Speed, pairs found and pairs that are right, of each tool in its table, are those of the benchmark page."""
    readme, page = read(ROOT / "README.md"), read(ROOT / "docs" / "explanation" / "benchmarks.md")
    measured = page.partition("`generated:20000`, 20,000 texts")[2].partition("`ota_dev`, ")[0]
    rows = re.findall(r"^\| \**\[?([a-z]+)[^|]*\| ([\d.]+) \| ([\d.]+) % \| ([\d.]+) % \|", readme, re.MULTILINE)
    assert len(rows) == 5
    for tool, speed, recall, precision in rows:
        (found,) = re.findall(
            rf"^\| {tool} \d[^|]*\|[^|]*\| ([\d.]+) \|[^|]*\|[^|]*\| ([\d.]+) \| ([\d.]+) \|", measured, re.MULTILINE
        )
        assert found == (speed, recall, precision), tool
    speeds = [float(speed) for speed in re.findall(r"^\| dedup \d[^|]*\|[^|]*\| ([\d.]+) \|", page, re.MULTILINE)]
    least, most = re.findall(r"One core searches (\d+) to (\d+) MB", readme)[0]
    assert {int(least), int(most)} <= {int(speed) for speed in speeds}


def test_sizes_in_words_are_those_of_the_code() -> None:
    """How much is added to an index between two commits, and how large the parts of a work directory are."""
    pages = {name: read(ROOT / "docs" / f"{name}.md") for name in ("how-to/texts-seen-before", "reference/cli")}
    pages |= {
        name: read(ROOT / "docs" / f"{name}.md") for name in ("reference/api", "how-to/corpora-larger-than-memory")
    }
    told = f"{RESUMED_HASHES / 1e6:.0f} million shingles"
    *of_index, large = pages.values()
    assert all(told in page.replace("\n", " ") for page in of_index)
    assert told in str(dedup.Index.add.__doc__)
    assert FilePlan(None, 1).shard == FilePlan(10**11, 1).shard == 2**26
    assert (FilePlan(64 * 10**6, 1).shard, FilePlan(6400 * 10**5, 1).shard) == (2**20, 10**7)
    assert "take 67 MB (2^26 bytes), or with `--memory` a 64th of the bound, if that is less" in large.replace(
        "\n", " "
    )


def test_each_stage_is_explained() -> None:
    """The names that a bar and the log show are in the reference."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "dedup").rglob("*.py"))
    shown = set(re.findall(r"\.stage\(\s*\"([a-z ]+)\"", source))
    assert len(shown) > 15
    page, _, _ = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8").partition("## dedup repeats")
    rows = re.findall(r"^\| (`.*?) \|", page.partition("## Progress")[2], re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`([a-z ]+)`", row)}
    assert shown <= explained
