"""Labels, boilerplate, several columns and reviews from the shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import dedup
from dedup.cli import main

BODY = "the swing bridge is closed to road traffic from monday night until thursday morning while the deck is mended"
ROWS = [
    {"id": 1, "site": "a", "title": "bridge", "text": f"Menu of the site\n\n{BODY}"},
    {"id": 2, "site": "b", "title": "bridge", "text": f"Menu of the site\n\n{BODY} again"},
    {"id": 3, "site": "a", "title": "market", "text": f"Menu of the site\n\n{BODY} again"},
    {"id": 4, "site": None, "title": None, "text": "Menu of the site\n\nnothing else is said here"},
]


def call(*arguments: Any, code: int = 0) -> str:
    """Run a command; return what it prints to stdout."""
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Give a file of pages."""
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def rows_of(printed: str) -> list[dict[str, Any]]:
    """Give the JSON lines that a command prints."""
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.parametrize("option", ["within", "across"])
def test_labels(option: str, pages: Path, tmp_path: Path) -> None:
    """A column gives what it gives in Python; the report names it, and is known again for it alone."""
    found = dedup.find_duplicates(pages, id="id", **{option: "site"})
    command = ["find", pages, "--id", "id", f"--{option}", "site", "--json"]
    assert rows_of(call(*command)) == found.clusters.to_pylist()
    call(*command, "--output", tmp_path / "report")
    assert dedup.Report.open(tmp_path / "report").options[option] == "site"
    result = CliRunner().invoke(main, [str(each) for each in [*command, "--output", tmp_path / "report"]])
    assert "already contains the report of this search" in result.stderr
    call("find", pages, "--id", "id", "--output", tmp_path / "report", code=2)
    assert json.loads(call("estimate", pages, f"--{option}", "site", "--json"))["texts"] == 4


def test_boilerplate(pages: Path, tmp_path: Path) -> None:
    """Each member is shown as removed, or as kept where there are too few documents; what is applied has no menu."""
    command = ["find", pages, "--id", "id", "--unit", "paragraph", "--keep", "none", "--min-documents", "4"]
    printed = call(*command)
    assert printed.count("remove") == 4
    assert printed.count("keep") == 3
    call(*command, "--output", tmp_path / "report")
    call("apply", tmp_path / "report", "--output", tmp_path / "clean")
    written = rows_of((tmp_path / "clean" / "pages.jsonl").read_text())
    assert [row["text"] for row in written] == [row["text"].partition("\n\n")[2] for row in ROWS]


def test_several_columns(pages: Path) -> None:
    """`--column` several times joins them."""
    found = dedup.find_duplicates(pages, id="id", column=["title", "text"])
    options = ["--id", "id", "--column", "title", "--column", "text", "--json"]
    assert rows_of(call("find", pages, *options)) == found.clusters.to_pylist()
    assert json.loads(call("estimate", pages, *options[2:]))["characters"] > 4 * len(BODY) / 2
    lines = dedup.find_duplicates(pages, id="id", column=["title", "text"], unit="line")
    assert rows_of(call("find", pages, *options, "--unit", "line")) == lines.clusters.to_pylist()


def test_review(pages: Path, tmp_path: Path) -> None:
    """The least similar come first, with what they share marked."""
    call("find", pages, "--id", "id", "--threshold", "0.5", "--output", tmp_path / "report")
    report = dedup.Report.open(tmp_path / "report")
    assert rows_of(call("review", tmp_path / "report", "--json")) == report.review().to_pylist()
    printed = call("review", tmp_path / "report", "--limit", "1")
    assert "1: 2 was removed for 1, at 0.9" in printed
    assert "[[1: Menu of the site" in printed
    assert "2: " not in printed.replace("[[2: ", "").replace("    2: ", "")
    call("find", pages, "--id", "id", "--threshold", "1.0", "--output", tmp_path / "none")
    assert "no text was removed that is not an exact copy" in call("review", tmp_path / "none")


def test_a_match_with_ids_of_one_side_has_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side keeps its places as ids; what apply does not use is said."""
    monkeypatch.chdir(tmp_path)
    line = '{"id": "a", "text": "The ferry leaves at noon from the northern mole on every day but Sunday %s"}\n'
    for name, more in (("new.jsonl", "unless the wind is strong or the sea is rough"), ("old.jsonl", "as ever")):
        Path(name).write_text(line % more, encoding="utf-8")
    command = ["match", "new.jsonl", "--against", "old.jsonl", "--id", "id", "--min-words", "5", "--output", "report"]
    assert CliRunner().invoke(main, command).exit_code == 0
    shown = CliRunner().invoke(main, ["show", "report", "--html", "page.html"])
    assert shown.exit_code == 0, shown.output
    assert "1 of 1 groups" in Path("page.html").read_text(encoding="utf-8")
    applied = CliRunner().invoke(main, ["apply", "report", "--output", "clean"])
    assert "1 text with passages: apply removes texts for their pairs only" in applied.output
    reviewed = CliRunner().invoke(main, ["review", "report"])
    assert "or look at this one with dedup show" in reviewed.output


def test_a_list_of_titles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text has nothing to be compared with, and the option to give is named; a review says the edit distance."""
    monkeypatch.chdir(tmp_path)
    Path("titles.txt").write_text("The Old Man and the Sea\nThe Old Man and teh Sea\nEmma\n", encoding="utf-8")
    assert "is each line a text? --format lines" in CliRunner().invoke(main, ["find", "titles.txt"]).output
    command = ["find", "titles.txt", "--format", "lines", "--metric", "edit", "--output", "report"]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert "edit distance 2\n" in CliRunner().invoke(main, ["review", "report"]).output
    (row,) = dedup.Report.open("report").review().to_pylist()
    assert (2, False) == (row["distance"], "shared" in row)
