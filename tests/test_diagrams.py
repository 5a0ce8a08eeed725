"""The diagrams of the documents: made from text, current, and of nothing but themselves."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

IMAGES = Path(__file__).parents[1] / "docs" / "explanation" / "images"
SOURCES = sorted(IMAGES.glob("*.txt"))

pytestmark = pytest.mark.skipif(not SOURCES, reason="the documents are not beside the tests")


@pytest.fixture
def diagrams() -> Any:
    """Load the module that draws."""
    if not (IMAGES.parents[2] / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not beside the tests")
    return importlib.import_module("benchmarks.publish.diagrams")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_diagram_is_that_of_its_text(source: Path, diagrams: Any) -> None:
    """`python -m benchmarks.publish.diagrams` would write the same bytes."""
    text = source.read_text(encoding="utf-8")
    drawn = source.with_suffix(".svg").read_text(encoding="utf-8")
    assert diagrams.picture(text) == drawn
    root = ET.fromstring(drawn)
    shown = {element.text for element in root.iter() if element.text and element.text.strip()}
    title, rows = diagrams.rows_of(text)
    assert {title, *(part for row in rows for box in row for part in box if part)} == shown
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in drawn


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_boxes_do_not_overlap(source: Path, diagrams: Any) -> None:
    """Nor leave the picture."""
    _, rows = diagrams.rows_of(source.read_text(encoding="utf-8"))
    boxes, width, height = diagrams.placed(rows)
    for row in boxes:
        assert all(one.left + one.width < other.left for one, other in itertools.pairwise(row))
        assert row[0].left >= 0
        assert row[-1].left + row[-1].width <= width
    assert boxes[-1][0].top + diagrams.HEIGHT <= height


def test_names_are_escaped(diagrams: Any) -> None:
    """A sign of markup is a letter."""
    assert "a &lt;b&gt; &amp; c" in diagrams.picture("# t\na <b> & c: d")
