"""Advice: each option that a warning or an error names is one of the command that prints it (`conftest`)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dedup.cli import main
from tests import corpus_files
from tests.cli.conftest import OPTION, foreign_options


def call(*arguments: str) -> Result:
    """Run a command in this process; what it writes to stderr is looked at (`conftest`)."""
    return CliRunner().invoke(main, list(arguments), prog_name="dedup")


def sentence(seed: int, words: int = 40) -> str:
    """Give words that no other sentence has."""
    chance = random.Random(seed)
    return " ".join(f"w{chance.randrange(10_000)}" for _ in range(words))


def short_texts() -> list[str]:
    """Give titles: too short for three shingles."""
    return [sentence(i, 4) for i in range(40)]


def numbered() -> list[str]:
    """Give near copies that differ in a number."""
    return [f"{sentence(i)} in the year {year}" for i in range(30) for year in (1999, 2003)]


def with_symbols() -> list[str]:
    """Give texts of the same words that differ in symbols."""
    return [f"{sentence(i)} c{mark}" for i in range(30) for mark in ("", "++")]


def edited() -> list[str]:
    """Give pairs that stand apart, below the threshold."""
    texts = []
    for i in range(60):
        words = sentence(i, 60).split()
        texts.append(" ".join(words))
        for at in (20, 40):
            words[at] = "other"
        texts.append(" ".join(words))
    return texts


TEXTS: dict[str, tuple[Callable[[], list[str]], str]] = {
    "short": (short_texts, "chars:4"),
    "numbers": (numbered, "--distinct numbers"),
    "symbols": (with_symbols, "--distinct symbols"),
    "below": (edited, "--threshold"),
}
"""Texts, and what a search of them advises."""

SEARCHES = {
    "find": ["find", "texts.jsonl"],
    "clean": ["clean", "texts.jsonl", "--dry-run"],
    "match": ["match", "texts.jsonl", "--against", "others.jsonl", "--no-passages"],
    "index query": ["index", "query", "seen", "texts.jsonl"],
}


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("kind", TEXTS)
def test_warnings(kind: str, search: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each warning of each search that advises an option: the command has it, or the one that is named does."""
    monkeypatch.chdir(tmp_path)
    make, advice = TEXTS[kind]
    texts = [{"text": text} for text in make()]
    one_sided = search in ("find", "clean")
    Path("texts.jsonl").write_bytes(corpus_files.as_lines(texts if one_sided else texts[1::2]))
    Path("others.jsonl").write_bytes(corpus_files.as_lines(texts[::2]))
    if search == "index query":
        call("index", "create", "seen", "--store", "text")
        call("index", "add", "seen", "others.jsonl")
    done = call(*SEARCHES[search])
    assert done.exit_code == 0
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    if search != "index query" or kind in ("numbers", "symbols"):  # it looks at pairs alone
        assert any(advice in line for line in warnings), done.stderr
    if search == "index query":
        assert all("(dedup index create --" in line for line in warnings)


@pytest.mark.parametrize(
    "command",
    [["query", "seen", "texts.jsonl", "--metric", "containment"], ["query", "seen", "texts.jsonl", "-t", "0.5"]],
)
def test_questions_that_an_index_was_not_made_for(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the command whose option is missing."""
    monkeypatch.chdir(tmp_path)
    Path("texts.jsonl").write_bytes(corpus_files.as_lines([{"text": sentence(1)}]))
    call("index", "create", "seen")
    done = call("index", *command)
    assert done.exit_code == 2
    assert "make another one" in done.stderr or "make an index with a lower one" in done.stderr


def test_an_encoding_of_texts_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`compare` has the option that it advises."""
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes("un café au lait, s'il vous plaît".encode("cp1252"))
    refused = call("compare", "a.txt", "a.txt")
    assert "(--encoding cp1252)" in refused.stderr
    assert "café" in call("compare", "a.txt", "a.txt", "--encoding", "cp1252").stdout
    refused = call("compare", "a", "b", "--report", "none", "--encoding", "cp1252")
    assert "--encoding: expected no such option with --report" in refused.stderr


def test_the_check_finds_options_that_are_not_there() -> None:
    """What the other tests rely on."""
    assert OPTION.findall("try --shingle chars:4, or x--y and pandoc --to plain") == ["--shingle"]
    assert foreign_options("give --distinct numbers", ["index", "query", "seen", "a"]) == ["--distinct"]
    assert not foreign_options("give --distinct numbers", ["find", "a"])
    assert not foreign_options("make one (dedup index create --distinct numbers)", ["index", "query", "seen", "a"])
    assert foreign_options("make one (dedup index add --distinct numbers)", ["index", "query", "seen"]) == [
        "--distinct"
    ]
    assert not foreign_options("found --distinct", ["index", "query", "seen", "--distinct=numbers"])
