"""`keep="none"` and `min_documents`: what is repeated goes everywhere, but only if it occurs in enough documents."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.pipelines.find import find_in
from dedup.pipelines.find_files import find_in_files
from dedup.report.apply import apply_report
from tests import oracles, strategies
from tests.plans import OnDisk, passes

PARTS = [
    "Home News Sports Weather Contact and the search of this site",
    "home news sports weather contact and the search of this page",
    "All rights reserved by the harbour office of the old town",
    "The ferry leaves at noon from the northern mole on Sundays",
    "The ferry leaves at noon from the northern mole on Mondays",
    "A word",
    "* * *",
]


@st.composite
def sites(draw: st.DrawFn) -> list[str]:
    """Give pages of a few paragraphs, many of which occur in several pages, or twice in one."""
    pages = st.lists(st.sampled_from(PARTS), min_size=0, max_size=5)
    return ["\n\n".join(draw(pages)) for _ in range(draw(st.integers(1, 6)))]


CHANGED = ("kept",)


@given(
    st.one_of(sites(), strategies.corpora()),
    st.sampled_from(["document", "paragraph", "line"]),
    st.sampled_from(["first", "last", "none"]),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from([0.5, 0.9]),
)
def test_what_is_removed(texts: list[str], unit: str, keep: str, least: int | None, threshold: float) -> None:
    """The pairs and clusters are those of a plain search; which members are kept is as the oracle says."""
    options: dict[str, Any] = {"unit": unit, "threshold": threshold}
    plain = dedup.find_duplicates(texts, keep="first" if keep == "none" else keep, **options)
    found = dedup.find_duplicates(texts, keep=keep, min_documents=least, **options)
    check(found, plain, keep, least)
    again = found.rethreshold(0.95)
    options["threshold"] = 0.95
    plain = dedup.find_duplicates(texts, keep="first" if keep == "none" else keep, **options)
    check(again, plain, keep, least)
    kept = {tuple(row.values()) if isinstance(row, dict) else row for row in again.kept.to_pylist()}
    removed = {tuple(row.values()) if isinstance(row, dict) else row for row in again.removed.to_pylist()}
    assert not kept & removed
    assert len(removed) == again.summary.removed
    assert again.filter(texts) == without(texts, unit, removed)


def check(found: dedup.Duplicates, plain: dedup.Duplicates, keep: str, least: int | None) -> None:
    """Compare with a search that keeps one of each cluster."""
    assert found.pairs.equals(plain.pairs)
    assert found.clusters.drop_columns(["kept"]).equals(plain.clusters.drop_columns(["kept"]))
    rows = plain.clusters.to_pylist()
    centres = {row["cluster"]: i for i, row in enumerate(rows) if row["kept"]}
    kept_for = [centres[row["cluster"]] for row in rows]
    documents = [row["id"] for row in rows]
    least = least if least is not None else 2 if keep == "none" else 1
    assert found.clusters["kept"].to_pylist() == oracles.kept(kept_for, documents, none=keep == "none", least=least)
    assert len(found.kept) + len(found.removed) == len(plain.kept) + len(plain.removed)
    assert found.clusters["kept"].to_pylist().count(False) == found.summary.removed


def without(texts: list[str], unit: str, removed: set[Any]) -> list[str]:
    """Give the texts without the removed ones, or without their removed paragraphs, as a plain search cuts them."""
    if unit == "document":
        return [text for i, text in enumerate(texts) if i not in removed]
    if unit == "line":
        return [oracles.without_lines(text, {n for i, n in removed if i == row}) for row, text in enumerate(texts)]
    found = []
    for row, text in enumerate(texts):
        spans = oracles.paragraphs(text)
        left = [span for n, span in enumerate(spans) if (row, n) not in removed]
        if len(left) == len(spans):
            found.append(text)
        elif not left:
            found.append("")
        else:
            cut, at = "", 0
            for n, (start, _) in enumerate(spans):
                end = spans[n + 1][0] if n + 1 < len(spans) else len(text)
                cut += text[at:start] if n == 0 else ""
                cut += text[start:end] if (row, n) not in removed else ""
                at = end
            found.append(cut.rstrip() if (row, len(spans) - 1) in removed else cut)
    return found


def pages() -> list[str]:
    """Give the pages of a site: a line at the top of all, one at the bottom of some, and a refrain in one."""
    found = [f"Home News Sports\n\nThe news of day {i} is about the number {i * 37} only\n" for i in range(12)]
    return [
        page + "\nAll rights reserved\n" * (i % 4 == 0) + "\nla la la la\n" * (3 * (i == 5))
        for i, page in enumerate(found)
    ]


def test_boilerplate_goes_everywhere() -> None:
    """What occurs in ten pages goes; what occurs in three of them, or three times in one, is kept."""
    texts = pages()
    found = dedup.find_duplicates(texts, unit="paragraph", threshold=0.9, keep="none", min_documents=10)
    assert [text.count("Home News") for text in found.filter(texts)] == [0] * 12
    assert sum("All rights" in text for text in found.filter(texts)) == 3
    assert sum(text.count("la la la la") for text in found.filter(texts)) == 3
    assert found.clusters.num_rows == 12 + 3 + 3
    assert (
        sum(
            text.count("la la la la")
            for text in dedup.find_duplicates(texts, unit="paragraph", threshold=0.9, keep="none").filter(texts)
        )
        == 3
    )


@pytest.mark.parametrize("unit", ["document", "paragraph"])
@pytest.mark.parametrize(("keep", "least"), [("none", None), ("none", 5), ("longest", 4)])
def test_every_engine_gives_the_same(unit: str, keep: str, least: int | None, tmp_path: Path) -> None:
    """In memory, in passes, from files, from a work directory, and by a report that is applied."""
    texts = pages() + pages()[:2] + ["lone words that occur nowhere else at all"]
    options: dict[str, Any] = {"unit": unit, "threshold": 0.8, "keep": keep, "min_documents": least}
    plain = dedup.find_duplicates(texts, **options)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"n": i, "text": text}) + "\n" for i, text in enumerate(texts)))
    results = [dedup.find_duplicates(path, id="n", memory=memory, **options) for memory in (None, "1GB")]
    results.append(find_in(texts, memory="1GB", planned=passes(table_bytes=1 << 12), **options))
    results.append(dedup.find_duplicates([{"text": text} for text in texts], **options))
    for how in ({}, {"at_once": False, "block_shingles": 0}):
        planned = partial(OnDisk, shard_bytes=1 << 10, **how)
        results.append(find_in_files([path], id="n", memory="1GB", planned=planned, **options).duplicates)
    for result in results:
        assert result.clusters.equals(plain.clusters)
        assert result.pairs.equals(plain.pairs)
        assert result.kept.equals(plain.kept)
        assert result.summary.removed == plain.summary.removed
    dedup.write_report(tmp_path / "report", results[0])
    report = dedup.Report.open(tmp_path / "report")
    assert report.options["keep"] == "none" if keep == "none" else "keep" not in report.options
    applied = apply_report(tmp_path / "report", tmp_path / "clean")
    written = [json.loads(line)["text"] for line in (tmp_path / "clean" / "a.jsonl").read_text().splitlines()]
    assert written == plain.filter(texts)
    assert applied.kept == len(written)
    report.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text()


def test_overrides_of_what_keeps_none(tmp_path: Path) -> None:
    """One of a cluster may be kept by hand, and one that is removed may be confirmed."""
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": "the same words again and again"}) + "\n" for _ in range(3)))
    dedup.write_report(tmp_path / "report", dedup.find_duplicates(path, keep="none"))
    for verdict, kept in (("remove", 0), ("keep", 1)):
        said = tmp_path / f"{verdict}.jsonl"
        said.write_text(json.dumps({"cluster": 0, "id": f"{path}:2", "verdict": verdict}) + "\n")
        assert apply_report(tmp_path / "report", tmp_path / verdict, overrides=said).kept == kept
