"""The page as a file: what is in it, what is left out, and that texts are data."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError, StorageError
from dedup.page import document as document_module
from dedup.page.beside import widened
from dedup.page.document import choose, pieces
from dedup.page.escaping import as_island, packed, readable
from dedup.page.view import binned
from dedup.reading import PLAIN
from dedup.text.shared_spans import shared_spans
from tests import corpora

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u2028\u2029 \u202e \u200b \ufeff \x00\x1b[31m",
    "]]> <!-- --> &lt;script&gt; &#60;",
    "javascript:alert(1) data:text/html,<script>alert(1)</script>",
    "=HYPERLINK(1) @x +1 -1",
    "lone \ud800 surrogate",
]

TEXTS = [*corpora.families(count=12, size=4), *(f"{text} {corpora.body(seed=7, size=1)[0]}" for text in HOSTILE)]

RESULTS: dict[str, Callable[[], Any]] = {
    "find": lambda: dedup.find_duplicates(TEXTS, threshold=0.5),
    "paragraphs": lambda: dedup.find_duplicates("\n\n".join(TEXTS), unit="paragraph", threshold=0.5),
    "match": lambda: dedup.match(TEXTS[:20], TEXTS[10:], min_words=10),
    "match lines": lambda: dedup.match(TEXTS[:20], TEXTS[10:], unit="line", min_words=10),
    "repeats": lambda: dedup.find_repeats(TEXTS, min_words=10),
    "compare": lambda: dedup.compare(TEXTS[0], TEXTS[1]),
    "suggest": lambda: dedup.suggest(TEXTS),
    "suggest paragraphs": lambda: dedup.suggest(["\n\n".join(TEXTS)], unit="paragraph"),
    "nothing": lambda: dedup.find_duplicates(["one", "two"]),
    "no match": lambda: dedup.match(["one"], ["two"]),
    "no repeats": lambda: dedup.find_repeats("one"),
}


def page_of(result: Any, path: Path, **options: Any) -> str:
    """Write the page and return it."""
    result.to_html(path / "page.html", **options)
    return (path / "page.html").read_text(encoding="utf-8")


def island(page: str, name: str) -> Any:
    """Return the data of a script element."""
    (found,) = re.findall(rf'<script type="[^"]*" id="{name}">(.*?)</script>', page, re.DOTALL)
    return json.loads(found) if name == "head" else json.loads(gzip.decompress(base64.b64decode(found)))


def chunks(page: str) -> list[list[dict[str, Any]]]:
    """Return the groups of the page, by chunk."""
    return [island(page, f"chunk-{i}") for i in range(len(re.findall('id="chunk-', page)))]


@pytest.mark.parametrize("kind", RESULTS)
def test_a_page_has_what_the_result_has(kind: str, tmp_path: Path) -> None:
    """One file with the head, the list and the texts; the same each time; each span is a part of its two texts."""
    result = RESULTS[kind]()
    page = page_of(result, tmp_path)
    assert page == page_of(RESULTS[kind](), tmp_path)
    head, columns, places = (island(page, name) for name in ("head", "index", "places"))
    assert head["count"] == len(places) == len(columns["size"]) == sum(map(len, chunks(page)))
    assert "" == head["note"]
    assert {len(columns[name]) for name in columns} == {head["count"]}
    for row in range(head["count"]):
        chunk, slot = divmod(places[row], head["packed"])
        group = chunks(page)[chunk][slot]
        main, *others = group["members"]
        for other in others:
            for left, left_end, right, right_end in other["spans"]:
                assert 0 <= left < left_end <= main["length"]
                assert 0 <= right < right_end <= other["length"]
            assert other["evidence"]
    if kind == "find":
        clusters = result.clusters.to_pylist()
        assert len({row["cluster"] for row in clusters}) == head["count"]
        assert sum(columns["size"]) == len(clusters)
        least = min(row["similarity"] for row in clusters if not row["kept"])
        assert pytest.approx(least, abs=1e-6) == min(columns["similarity"])


@pytest.mark.parametrize("kind", ["find", "match", "repeats"])
def test_shared_spans_are_shared(kind: str, tmp_path: Path) -> None:
    """The words of a span are the same on both sides, but for those that an edited repeat replaces."""
    page = page_of(RESULTS[kind](), tmp_path)
    compared = 0
    for groups in chunks(page):
        for group in groups:
            main, *others = group["members"]
            left = "".join(text for _, text in main["pieces"])
            for other in others:
                right = "".join(text for _, text in other["pieces"])
                if not other["differs"]:
                    continue
                for a, b, c, d in other["spans"]:
                    assert re.findall(r"\w+", left[a:b].casefold()) == re.findall(r"\w+", right[c:d].casefold())
                    compared += 1
    assert compared > 0 or kind == "repeats"


def test_matches_of_an_index_have_no_right_texts(tmp_path: Path) -> None:
    """The page has the asked texts and the ids that were found, and says why the others are not there."""
    with dedup.Index.create(tmp_path / "index") as index:
        index.add(TEXTS[:20], ids=[f"known {number}" for number in range(20)])
        result = index.query(TEXTS[:5])
    page = page_of(result, tmp_path)
    (groups,) = chunks(page)
    for group in groups:
        main, *others = group["members"]
        assert main["length"]
        assert others
        for other in others:
            assert other["name"].startswith("known ")
            assert not other["length"]
            assert "look it up by its id" in other["evidence"][-1]
    assert "known 0" in {other["name"] for group in groups for other in group["members"]}
    assert "<table>" in result._repr_html_()


def test_texts_are_data(tmp_path: Path) -> None:
    """No text ends its element or begins another; every element of the page is one of its own."""
    for kind, make in RESULTS.items():
        page = page_of(make(), tmp_path)
        outside = re.sub(r"<script.*?</script>|<style>.*?</style>|<noscript>.*?</noscript>", "", page, flags=re.DOTALL)
        for text in HOSTILE:
            assert text not in outside, kind
        for found in re.findall(r'<script type="application[^>]*>(.*?)</script>', page, re.DOTALL):
            assert not set(found) & set("<>&\u2028\u2029")
        (static,) = re.findall("<noscript>(.*?)</noscript>", page, re.DOTALL)
        assert {name.strip("/") for name in re.findall("<(/?[a-z]+)", static)} <= {"p", "table", "tr", "td", "th"}


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda some: st.lists(some) | st.dictionaries(st.text(), some))
)
def test_islands_come_back(value: Any) -> None:
    """What is written is read again, and has no character that ends a script element."""
    written = as_island(value)
    assert value == json.loads(written)
    assert not set(written) & set("<>&\u2028\u2029")


@given(st.text(st.characters(exclude_categories=())))
def test_readable_texts(text: str) -> None:
    """A text keeps its length and can be written; only surrogates are replaced."""
    found = readable(text)
    assert len(text) == len(found)
    assert json.loads(gzip.decompress(base64.b64decode(packed(found)))) == found
    assert all(a == b or (b == "\ufffd" and "\ud800" <= a <= "\udfff") for a, b in zip(text, found, strict=True))


def test_the_policy_lets_only_this_page_run(tmp_path: Path) -> None:
    """The hashes are those of the script and the style; nothing else may run, and nothing may be asked for."""
    page = page_of(RESULTS["find"](), tmp_path)
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    for kind, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in html.unescape(policy)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "connect-src" not in policy


def test_the_script_makes_nodes_one_by_one() -> None:
    """Nothing is parsed as markup or run as code."""
    source = Path(document_module.__file__).with_name("page.js").read_text(encoding="utf-8")
    parsed = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc")
    for forbidden in parsed:
        assert forbidden not in source
    assert "http://" not in source.replace("http://www.w3.org/2000/svg", "")


def test_bounds(tmp_path: Path) -> None:
    """A page says what it leaves out: groups, texts that do not fit, or all texts."""
    result = RESULTS["find"]()
    few = page_of(result, tmp_path, clusters=2)
    head = island(few, "head")
    assert 2 == head["shown"] < head["count"]
    assert "clusters=2" in head["note"]
    bare = page_of(result, tmp_path, texts=False)
    assert [] == chunks(bare)
    assert "texts=False" in island(bare, "head")["note"]
    whole = page_of(result, tmp_path)
    size = len(whole.encode()) - 500
    tight = page_of(result, tmp_path, megabytes=size / 1e6)
    assert len(tight.encode()) <= size
    assert "did not fit" in island(tight, "head")["note"]
    assert -1 in island(tight, "places")


def test_a_huge_cluster(tmp_path: Path) -> None:
    """Of 5,000 members 50 are shown beside the kept one, the least similar first; the page says how many are not."""
    body = " ".join(corpora.body(seed=2, size=1))
    page = page_of(dedup.find_duplicates([f"{body} {'end' if i % 7 else 'other end'}" for i in range(5000)]), tmp_path)
    ((group,),) = chunks(page)
    assert 4949 == group["left_out"] or not island(page, "head")["decides"]
    assert 51 == len(group["members"])
    others = [member["similarity"] for member in group["members"][1:]]
    assert others == sorted(others)
    assert others[0] < 1.0
    assert len(page) < 200_000


def test_the_most_interesting_are_chosen() -> None:
    """The largest, those nearest to the threshold, and a sample: each once."""
    view = RESULTS["find"]()._view()
    chosen = choose(view, 3)
    assert 3 == len(set(chosen.tolist()))
    assert int(np.argmax(view.size)) in chosen
    assert int(np.argmin(np.abs(view.similarity - view.threshold))) in chosen
    assert len(view) == len(choose(view, 10_000))


@given(st.integers(0, 60_000), st.lists(st.tuples(st.integers(0, 59_000), st.integers(1, 3000)), max_size=20))
def test_long_texts_are_cut(length: int, shared: list[tuple[int, int]]) -> None:
    """The parts ascend without overlap, lie in the text, and have the ends of the first spans."""
    spans = [(start, min(start + size, length)) for start, size in shared if start < length]
    found = pieces(length, spans)
    assert all(0 <= start <= end <= length for start, end in found)
    assert all(one[1] < two[0] for one, two in pairwise(found))
    if length <= document_module.LONG:
        assert [(0, length)] == found
    else:
        assert sum(end - start for start, end in found) <= 2 * document_module.LONG


def test_histograms_count_everything() -> None:
    """Each value is in a bin."""
    values = np.array([2, 2, 3, 90, 1000])
    for whole in (False, True):
        found = binned("sizes", values, 2, 1000, whole=whole)
        assert len(values) == sum(found.counts)
        assert len(found.edges) == len(found.counts) + 1 <= 42


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"clusters": 0}, "clusters: expected a whole number from 1"),
        ({"clusters": True}, "clusters"),
        ({"megabytes": 0}, "megabytes: expected a number above 0"),
        ({"megabytes": "25"}, "megabytes"),
        ({"texts": 1}, "texts: expected True or False"),
        ({"path": 3}, "path"),
    ],
)
def test_bad_options(options: dict[str, Any], says: str, tmp_path: Path) -> None:
    """Each says what it takes."""
    with pytest.raises(ParameterError, match=says):
        RESULTS["nothing"]().to_html(**{"path": tmp_path / "page.html", **options})
    with pytest.raises(ParameterError, match="expected a folder that exists"):
        RESULTS["nothing"]().to_html(tmp_path / "nowhere" / "page.html")
    with pytest.raises(ParameterError, match="expected the name of a file, found the folder"):
        RESULTS["nothing"]().to_html(tmp_path)
    with pytest.raises(StorageError):
        RESULTS["nothing"]().to_html("/proc/page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("kind", RESULTS)
def test_notebooks(kind: str) -> None:
    """The table has no script and no text that is markup, and is small."""
    shown = RESULTS[kind]()._repr_html_()
    assert len(shown.encode()) <= 100_000
    known = {"div", "b", "p", "table", "tr", "td", "th", "details", "summary"}
    assert {name.strip("/") for name in re.findall("<(/?[^ >]+)", shown)} <= known
    assert " on" not in re.sub(">[^<]*<", "><", shown)


def test_notebooks_of_many_long_names() -> None:
    """Ids of any length do not make the table larger."""
    texts = {"x" * 9000 + str(i): f"a text that {i // 2} occurs twice in this collection" for i in range(100)}
    assert len(dedup.find_duplicates(texts)._repr_html_().encode()) <= 100_000


@given(st.text("ab .", max_size=40), st.text("ab .", max_size=40), st.integers(1, 3))
def test_widened_spans(main: str, other: str, size: int) -> None:
    """They contain the spans of words, are equal but for case, do not overlap, and end where the texts differ."""
    found = [span[:4] for span in shared_spans(main, other, "words", size, PLAIN)]
    wide = widened(main, other, found)
    for (a, b, c, d), (w, x, y, z) in zip(found, wide, strict=True):
        assert w <= a < b <= x
        assert y <= c < d <= z
        assert main[w:a] == other[y:c]
        assert main[b:x] == other[d:z]
        assert not any(map(str.isalnum, main[w:a] + main[b:x]))
    for side in (0, 2):
        ends = sorted((span[side], span[side + 1]) for span in wide)
        was = sorted((span[side], span[side + 1]) for span in found)
        if all(one[1] <= two[0] for one, two in pairwise(was)):
            assert all(one[1] <= two[0] for one, two in pairwise(ends))
