"""The page of messages: each that it explains is a message of the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent
PAGE = PACKAGE.parent / "docs" / "how-to" / "troubleshooting.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documents are not beside the tests")


def rows() -> list[list[str]]:
    """Give the cells of the tables of messages."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    cells = [re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |")) for line in lines if line[:1] == "|"]
    return [row for row in cells if row[0] != "message" and not row[0].startswith("|--")]


def sources() -> str:
    """Give the sources, with strings over several lines in one."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py")))
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", text).replace('\\"', '"')


def test_each_message_is_one_of_ours() -> None:
    """Its words are in the package, so that a reader who searches for them finds the page."""
    text = sources()
    quoted = [part for row in rows() for part in re.findall(r"`([^`]+)`", row[0])]
    assert len(quoted) > 40
    assert [] == [part for part in quoted if part not in text]


def test_each_row_says_what_to_do() -> None:
    """Message, meaning, advice."""
    assert {3} == {len(row) for row in rows()}
    assert all(all(cell.strip() for cell in row) for row in rows())
    assert len({row[0] for row in rows()}) == len(rows())
