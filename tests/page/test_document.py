"""The page as a file: what is in it, what is left out, and that texts are data."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.errors import ParameterError, StorageError
from dedup.hash_key import PUBLIC
from dedup.page import document as document_module
from dedup.page.beside import Main, beside, widened
from dedup.page.document import choose, document, pieces
from dedup.page.escaping import as_island, packed, readable
from dedup.page.links import covered
from dedup.page.listing import FIRST_ROWS, ROWS_PACKED
from dedup.page.view import Member, View, Words, binned
from dedup.reading import PLAIN, Reading
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

WRITTEN = st.text("ab Ee\u0301\u00e9\u0130 1\u0661.-\n\u4e00\ufb01\ud800", max_size=40)
"""Texts whose tokens must be normalised, some of them."""

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
    found = raw_island(page, name)
    return json.loads(found) if name == "head" else json.loads(gzip.decompress(base64.b64decode(found)))


def columns(page: str) -> dict[str, list[Any]]:
    """Return the list of the page, as columns, from its packed arrays and lines."""
    head, first = island(page, "head"), json.loads(raw_island(page, "first"))
    count = head["shown"]
    data = gzip.decompress(base64.b64decode(raw_island(page, "numbers")))
    wide, narrow = np.frombuffer(data[: 16 * count], "<f8"), np.frombuffer(data[16 * count :], "<i4")
    number, similarity = wide[:count], wide[count:]
    size, source, reason = narrow.reshape(3, count)
    blocks = range(len(re.findall('id="names-', page)))
    texts = [gzip.decompress(base64.b64decode(raw_island(page, f"names-{i}"))).decode() for i in blocks]
    lines = "\n".join(texts).split("\n") if count else []
    found = {
        "number": number.astype(int).tolist(),
        "similarity": [None if math.isnan(value) else value for value in similarity.tolist()],
        "size": size.tolist(),
        "source": source.tolist(),
        "reason": [head["reasons"][code] for code in reason.tolist()],
        "title": lines[::2],
        "name": lines[1::2],
        "place": places(page),
    }
    for row in first:
        assert {name: found[name][row["row"]] for name in found if name != "source"} == {
            name: value for name, value in row.items() if name != "row"
        }
    order = sorted(range(count), key=lambda row: -found["size"][row])
    assert order[:FIRST_ROWS] == [row["row"] for row in first]
    return found


def raw_island(page: str, name: str) -> str:
    """Return what a script element has."""
    (found,) = re.findall(rf'<script type="[^"]*" id="{name}">(.*?)</script>', page, re.DOTALL)
    return str(found)


def places(page: str) -> list[int]:
    """Return where the texts of the groups are."""
    found: list[int] = np.frombuffer(gzip.decompress(base64.b64decode(raw_island(page, "places"))), "<i4").tolist()
    return found


def chunks(page: str) -> list[list[dict[str, Any]]]:
    """Return the groups of the page, by chunk."""
    return [island(page, f"chunk-{i}") for i in range(len(re.findall('id="chunk-', page)))]


@pytest.mark.parametrize("kind", RESULTS)
def test_a_page_has_what_the_result_has(kind: str, tmp_path: Path) -> None:
    """One file with the head, the list and the texts; the same each time; each span is a part of its two texts."""
    result = RESULTS[kind]()
    page = page_of(result, tmp_path)
    assert page == page_of(RESULTS[kind](), tmp_path)
    head, listed = island(page, "head"), columns(page)
    assert head["count"] == sum(map(len, chunks(page)))
    assert "" == head["note"]
    assert {len(listed[name]) for name in listed} == {head["count"]}
    for row in range(head["count"]):
        chunk, slot = divmod(listed["place"][row], head["packed"])
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
        assert sum(listed["size"]) == len(clusters)
        least = min(row["similarity"] for row in clusters if not row["kept"])
        assert pytest.approx(least, abs=1e-6) == min(listed["similarity"])


def test_the_coverage_of_each_text_with_repeats(tmp_path: Path) -> None:
    """It is that of the result, beside the text; the texts that it repeats follow, the most similar first."""
    result = dedup.find_repeats([*TEXTS, f"{TEXTS[0]}\n\n{TEXTS[-1]}", TEXTS[5]], min_words=10)
    coverage = dict(result.documents.select(["document", "coverage"]).to_pandas().itertuples(index=False))
    seen = 0
    for group in (group for groups in chunks(page_of(result, tmp_path)) for group in groups):
        main, *others = group["members"]
        assert (f"{100 * coverage[main['id']]:.1f} % of the text is in a repeat",) == tuple(main["evidence"])
        like = [other["similarity"] for other in others]
        assert like == sorted(like, reverse=True)
        seen += len(others) > 1
    assert seen


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=8))
def test_characters_in_some_span(spans: list[tuple[int, int]]) -> None:
    """Each character is counted once."""
    rows = np.array([(start, start + size) for start, size in spans], dtype=np.int64).reshape(-1, 2)
    assert len({at for start, end in rows.tolist() for at in range(start, end)}) == covered(rows)


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


@given(
    WRITTEN, WRITTEN, st.sampled_from(["words:1", "words:5", "chars:4"]), st.sampled_from([(), ("accents", "numbers")])
)
def test_evidence_is_what_compare_says(main: str, other: str, shingle: str, ignore: tuple[str, ...]) -> None:
    """The numbers beside two texts are those of `compare`, whether or not the main text was compared before."""
    first = Main(main, shingle, Reading(PUBLIC, ignore))
    first.beside("another text")
    found = first.beside(other)
    assert found == beside(main, other, shingle, Reading(PUBLIC, ignore))
    said = dedup.compare(main, other, shingle=shingle, ignore=ignore)
    counts = f"{said.left_size:,} and {said.right_size:,} shingles ({shingle})"
    if said.shared:
        assert f"{said.shared:,} of {counts} shared: Jaccard {said.jaccard:.3f}" == found.evidence[0]
    else:
        assert (f"none of {counts} is shared",) == found.evidence
    assert len(said.spans) == len(found.spans)


def view_of(names: list[str], starts: list[str], **given: Any) -> View:
    """Return a view of clusters of two members."""
    count = len(names)
    known: dict[str, Any] = {
        "kind": "find",
        "title": "many",
        "words": Words("cluster", "members", "kept", "removed"),
        "facts": [],
        "warnings": [],
        "threshold": 0.8,
        "number": np.arange(count),
        "size": np.full(count, 2),
        "similarity": np.full(count, 0.9),
        "reason": np.full(count, "near"),
        "names": lambda rows: [names[row] for row in rows.tolist()],
        "starts": lambda rows: [starts[row] for row in rows.tolist()],
        "members": lambda rows, most: iter([[Member(row, names[row], starts[row])] for row in rows.tolist()]),
    }
    return View(**known | given)


def test_names_are_lines() -> None:
    """A name may have line breaks, and a start any character that is no line break, also the first of a block."""
    names = ["two\nlines", "\r\n", "", "\ufeff", "\u2028", "\ud800", *map(str, range(ROWS_PACKED))]
    starts = ["\ufeff", "", "\x85\u2029", "<b>", "\ud800", "\r", *map(str, range(ROWS_PACKED))]
    page = "".join(document(view_of(names, starts), clusters=len(names), megabytes=25, texts=True))
    found = columns(page)
    assert [readable(name).replace("\n", "\\n") for name in names] == found["name"]
    assert list(map(readable, starts)) == found["title"]


def test_what_fits_is_of_both_ends() -> None:
    """If not all texts fit, those of the largest groups are there and those of the groups nearest to the threshold."""
    draw = np.random.default_rng(1)
    texts = ["".join(map(chr, draw.integers(97, 123, 3000))) for _ in range(400)]
    size, like = np.arange(400) + 2, np.abs(np.arange(400) / 400 - 0.5) + 0.5
    names = list(map(str, range(400)))
    view = view_of(names, names, size=size, similarity=like, threshold=0.5, members=lambda rows, most: members(rows))

    def members(rows: Any) -> Iterator[list[Member]]:
        return ([Member(row, names[row], texts[row])] for row in rows.tolist())

    page = "".join(document(view, clusters=400, megabytes=0.4, texts=True))
    there = np.flatnonzero(np.array(places(page)) >= 0)
    assert 30 < len(there) < 300
    assert {399, 398, 397} <= set(there.tolist())
    assert {199, 200, 201} <= set(there.tolist())


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


@pytest.mark.parametrize("state", ["open", "committed", "closed", "compacted"])
def test_matches_of_an_index_with_texts(state: str, tmp_path: Path) -> None:
    """The texts that the index keeps are beside those that were asked for, with what both share; as in `match`."""
    names = [f"known {number}" for number in range(20)]
    with dedup.Index.create(tmp_path / "index", store="text", threshold=0.5) as index:
        index.add(TEXTS[5:25], ids=names)
        if state == "compacted":
            index.remove(names[:3])
        if state != "open":
            index.commit()
        result = index.query([*TEXTS[:10], TEXTS[-1]])
        if state == "compacted":
            index.compact()
        if state != "closed":
            page = page_of(result, tmp_path)
    if state == "closed":
        page = page_of(result, tmp_path)
    shown = {}
    for group in (group for groups in chunks(page) for group in groups):
        main, *others = group["members"]
        (left,) = (text for _, text in main["pieces"])
        for other in others:
            (right,) = (text for _, text in other["pieces"])
            assert right == readable(TEXTS[5 + names.index(other["name"])])
            shared = beside(left, right, "words:5")
            assert (other["evidence"], other["spans"]) == (list(shared.evidence), [list(span) for span in shared.spans])
            assert other["differs"]
            shown[main["id"], other["name"]] = other["similarity"]
    assert shown == {(row["left"], row["right"]): row["jaccard"] for row in result.pairs.to_pylist()}
    assert len(shown) > 4
    left = page_of(pickle.loads(pickle.dumps(result)), tmp_path)
    assert "keeps no texts" in chunks(left)[0][0]["members"][1]["evidence"][-1]


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
    assert -1 in places(tight)


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
