"""The page in a real browser: it opens, filters, shows, decides and exports; and hostile texts do nothing.

The tests need Chromium (``CHROMIUM`` names it, or it is found by its usual names) and the package playwright. Pictures
go to the folder that ``DEDUP_PICTURES`` names, if it does.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.page.document import document
from dedup.page.listing import ROWS_PACKED
from dedup.report.page import view_of_report
from dedup.report.read import Report
from dedup.report.serving import Server
from dedup.runtime.threads import Background
from tests import corpora
from tests.page.test_document import view_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium; name it in CHROMIUM")

ATTACKS = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 1</script>",
    "<!--<script>",
    "]]><script>window.ran = 1</script>",
    "\\u003cscript\\u003ewindow.ran = 1\\u003c/script\\u003e",
    "&lt;script&gt;window.ran = 1&lt;/script&gt;",
    "%3Cscript%3Ewindow.ran=1%3C/script%3E",
    "<img src=x onerror='window.ran = 1'>",
    "<svg onload='window.ran = 1'>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'>",
    "<a href='javascript:window.ran = 1'>click</a>",
    "<meta http-equiv=refresh content='0;url=http://example.invalid/'>",
    "<link rel=stylesheet href=http://example.invalid/x.css>",
    "<base href=http://example.invalid/>",
    "<form action=http://example.invalid/><input autofocus onfocus='window.ran = 1'>",
    "data:text/html,<script>window.ran = 1</script>",
    "line\u2028separator\u2029and \x00\x07\x1b[31m\x9b controls",
    "\u202eturned\u202c \u2066isolated\u2069 z\u200be\u200cr\u200do \ufeff",
    "\ud800 lone and \udfff lone",
    "{{constructor.constructor('window.ran = 1')()}} ${window.ran = 1} `",
    "__proto__ constructor toString",
    "w" * 1_000_000,
]


def attacks() -> list[str]:
    """Give pairs of near copies with an attack in each."""
    bodies = corpora.body(seed=3, size=len(ATTACKS))
    pairs = zip(ATTACKS, bodies, strict=True)
    return [f"{attack} {body} {end}" for attack, body in pairs for end in ("once", "twice over")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Give Chromium."""
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Opened:
    """A page that was opened, with all that it said and asked for."""

    def __init__(self, browser: Any, address: str, **how: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.page.wait_for_selector("body[data-ready]")

    def picture(self, name: str) -> None:
        """Keep a picture."""
        if folder := os.environ.get("DEDUP_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def found_in(page: Any) -> int:
    """Return how many groups the list says that it shows."""
    sync_api.expect(page.locator("#found")).to_contain_text(" of ")
    return int(page.inner_text("#found").split(" of ")[0].replace(",", ""))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Give the report of a search of a file."""
    lines = [json.dumps({"text": text}) + "\n" for text in corpora.families(count=12, size=4)]
    (tmp_path / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
    dedup.write_report(tmp_path / "report", dedup.find_duplicates(dedup.files(tmp_path / "texts.jsonl"), threshold=0.5))
    return Report.open(tmp_path / "report")


@pytest.mark.parametrize("how", ["file", "server"])
def test_from_a_folder_to_a_decided_copy(how: str, report: Report, tmp_path: Path, browser: Any) -> None:
    """Open, filter, order, look, jump, decide by key, export, apply; from the file and from the server."""
    server = None
    if how == "file":
        report.to_html(tmp_path / "page.html")
        address = (tmp_path / "page.html").as_uri()
    else:
        server = Server(view_of_report(report))
        Background(lambda _: server.run())
        address = server.address
    opened = Opened(browser, address)
    page = opened.page
    every = found_in(page)
    assert report.summary["clusters"] == every
    sync_api.expect(page.locator(".row .title").first).not_to_contain_text("being read")
    first = page.locator(".row .title").first.inner_text()
    page.fill("#search", first[:20])
    sync_api.expect(page.locator("#found")).not_to_have_text(f"{every} of {every} shown")
    assert 1 <= found_in(page) < every
    page.fill("#search", "no text says this")
    page.wait_for_selector("text=Nothing fits the filter")
    page.fill("#search", "")
    page.select_option("#sort", "near")
    sync_api.expect(page.locator("#found")).to_have_text(f"{every} of {every} shown")
    page.locator(".row").first.click()
    page.wait_for_selector(".sides .differs")
    page.locator(".side.left mark").first.click()
    assert "side right" == page.evaluate("document.activeElement.closest('.side').className")
    opened.picture(f"{how}-light")
    page.keyboard.press("i")
    shown = page.inner_text("#detail h2")
    page.keyboard.press("j")
    sync_api.expect(page.locator("#detail h2")).not_to_have_text(shown)
    page.keyboard.press("n")
    page.wait_for_selector("text=save 2 decisions")
    with page.expect_download() as download:
        page.click("#export")
    download.value.save_as(tmp_path / "overrides.jsonl")
    with page.expect_download() as download:
        page.click("#table")
    download.value.save_as(tmp_path / "list.csv")
    assert every + 1 == len((tmp_path / "list.csv").read_text(encoding="utf-8").splitlines())
    assert [] == opened.said
    own = server.address if server else address
    assert all(url.startswith(own) for url in opened.asked)
    done = dedup.apply_report(report, tmp_path / "out", overrides=tmp_path / "overrides.jsonl")
    assert (2, 1) == (done.also_kept, done.also_removed)
    page.reload()
    page.wait_for_selector("text=save 2 decisions")  # they are remembered
    opened.context.close()
    if server:
        server.close()


def test_hostile_texts_do_nothing(tmp_path: Path, browser: Any) -> None:
    """Each group is opened: nothing runs, nothing is asked for, and what cannot be seen is shown."""
    result = dedup.find_duplicates(attacks(), threshold=0.5)
    assert len(ATTACKS) == len(result)
    result.to_html(tmp_path / "page.html")
    address = (tmp_path / "page.html").as_uri()
    opened = Opened(browser, address)
    page = opened.page
    for _ in range(len(result)):
        page.wait_for_selector(".sides")
        page.keyboard.press("j")
        page.wait_for_timeout(50)
    assert page.evaluate("window.ran === undefined")
    assert [address] == opened.asked
    assert [] == opened.said
    assert page.evaluate("document.querySelectorAll('iframe, img, form, link, base, object, embed').length") == 0
    page.fill("#search", "turned")
    page.wait_for_timeout(200)
    if found_in(page):
        page.locator(".row").first.click()
        page.wait_for_selector(".unseen")
    opened.context.close()


HOSTILE_NAME = "<img src=x onerror='window.ran = 1'>"


def test_hostile_names_do_nothing(tmp_path: Path, browser: Any) -> None:
    """Ids, columns, labels and files may be called anything; a list for a spreadsheet has no formula."""
    (tmp_path / "in").mkdir()
    for at, name in enumerate(("=1+1|x", f"{HOSTILE_NAME.replace('/', '')} \u202e&'\"")):
        rows = [
            {"id": f"=HYPERLINK({at}) {HOSTILE_NAME} {i}", "</script>": text, "label": HOSTILE_NAME}
            for i, text in enumerate(corpora.families(count=3, size=4))
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "in" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    files = dedup.files(tmp_path / "in", column="</script>", id="id")
    dedup.write_report(tmp_path / "report", dedup.find_duplicates(files, within="label", threshold=0.5))
    Report.open(tmp_path / "report").to_html(tmp_path / "page.html")
    opened = Opened(browser, (tmp_path / "page.html").as_uri())
    page = opened.page
    page.click("#help summary")
    page.select_option("#source", index=1)
    page.wait_for_selector(".sides")
    page.keyboard.press("n")
    with page.expect_download() as download:
        page.click("#table")
    download.value.save_as(tmp_path / "list.csv")
    assert not [line for line in (tmp_path / "list.csv").read_text(encoding="utf-8").splitlines() if line[0] in "=+-@"]
    with page.expect_download() as download:
        page.click("#export")
    download.value.save_as(tmp_path / "overrides.jsonl")
    done = dedup.apply_report(tmp_path / "report", tmp_path / "out", overrides=tmp_path / "overrides.jsonl")
    assert 1 == done.also_kept
    assert page.evaluate("window.ran === undefined")
    assert [] == opened.said
    assert 1 == len(opened.asked)
    opened.context.close()


def test_a_list_that_is_higher_than_an_element_may_be(tmp_path: Path, browser: Any) -> None:
    """All of 300,000 rows can be reached: with the scroll bar, step by step, and by key."""
    count = 300_000
    view = view_of([f"name {row}" for row in range(count)], [f"text {row}" for row in range(count)])
    parts = document(view, clusters=count, megabytes=25, texts=False)
    (tmp_path / "page.html").write_text("".join(parts), encoding="utf-8")
    opened = Opened(browser, (tmp_path / "page.html").as_uri())
    page = opened.page

    def first() -> int:
        """Return the row at the top of the list that is seen."""
        page.wait_for_timeout(100)
        top = page.evaluate("document.querySelector('#list').getBoundingClientRect().top")
        rows = page.evaluate(
            "[...document.querySelectorAll('.row')].map((row) => "
            "[row.getBoundingClientRect().bottom, row.querySelector('.title').textContent])"
        )
        return int(next(text for bottom, text in rows if bottom > top + 1).split()[1])

    assert 0 == first()
    page.evaluate("document.querySelector('#list').scrollTop = 1e9")
    sync_api.expect(page.locator(f"text=text {count - 1}")).to_be_visible()
    page.evaluate("document.querySelector('#list').scrollTop = 5e6")
    middle = first()
    assert count // 2 - 100 < middle < count // 2 + 100
    page.mouse.move(100, 700)
    for _ in range(5):
        page.mouse.wheel(0, 58)
        page.wait_for_timeout(60)
    assert middle + 4 <= first() <= middle + 6
    page.fill("#search", f"text {count - 7}")
    sync_api.expect(page.locator("#found")).to_contain_text("1 of")
    page.fill("#search", "")
    sync_api.expect(page.locator("#found")).to_contain_text(f"{count:,} of")
    page.locator("#list").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert 0 == first()
    assert [] == opened.said
    opened.context.close()


def test_the_search_finds_what_is_there(tmp_path: Path, browser: Any) -> None:
    """In every block, in names and in starts, whatever the case: the groups that plain Python finds."""
    odd = ["\ufeffFirst", "\u0130stanbul", "STRA\u00dfE", "a\tb", "<b>", "\u03a3\u0391\u03a3", "\U0001f600 Smile", ""]
    count = 2 * ROWS_PACKED + 500
    names = [f"Name {row}" if row % 3 else f"two\nlines {row}" for row in range(count)]
    starts = [f"{odd[row % len(odd)]} Text {row} of many" for row in range(count)]
    page_text = "".join(document(view_of(names, starts), clusters=count, megabytes=25, texts=True))
    (tmp_path / "page.html").write_text(page_text, encoding="utf-8")
    opened = Opened(browser, (tmp_path / "page.html").as_uri())
    page = opened.page
    some = ("text 3999 of", "name 4", "First", "\u0130st", "stra\u00dfe", "\U0001f600")
    for wanted in (*some, "of many", "no such", "lines 0", "4499"):
        small = wanted.lower()
        hits = [row for row in range(count) if small in starts[row].lower() or small in names[row].lower()]
        page.fill("#search", wanted)
        sync_api.expect(page.locator("#found")).to_have_text(f"{len(hits):,} of {count:,} shown")
        if hits:
            sync_api.expect(page.locator(".row .title").first).to_contain_text(f"Text {hits[0]} of many")
    dropped = "#numbers, #places, [id^=names-]"
    assert 0 == page.evaluate(f"document.querySelectorAll('{dropped}').length")
    assert [] == opened.said
    opened.context.close()


def test_what_was_typed_before_is_searched_again(tmp_path: Path, browser: Any) -> None:
    """A browser may fill in the search when a page is loaded again: then the list is that of the search."""
    RESULTS["find"]().to_html(tmp_path / "page.html")
    opened = Opened(browser, (tmp_path / "page.html").as_uri())
    page = opened.page
    page.evaluate("document.querySelector('#search').value = 'no text says this'")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow'))")
    page.wait_for_selector("text=Nothing fits the filter")
    assert 0 == found_in(page)
    opened.context.close()


FAMILIES = corpora.families(count=8, size=3)
RESULTS = {
    "find": lambda: dedup.find_duplicates(corpora.families(count=12, size=4), threshold=0.5),
    "match": lambda: dedup.match(FAMILIES[::2], FAMILIES[1::2], min_words=10),
    "paragraphs": lambda: dedup.find_duplicates(FAMILIES[:4] * 2, unit="paragraph"),
    "suggest": lambda: dedup.suggest(corpora.families(count=30, size=4)),
    "repeats": lambda: dedup.find_repeats("\n\n".join([*corpora.body(seed=1, size=6), *corpora.body(seed=1, size=6)])),
    "compare": lambda: dedup.compare(*corpora.families(count=2, size=2)[:2]),
    "nothing": lambda: dedup.find_duplicates(["one", "two"]),
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("wide", [1280, 390])
@pytest.mark.parametrize("kind", RESULTS)
def test_every_result_opens(kind: str, wide: int, dark: bool, tmp_path: Path, browser: Any) -> None:
    """At a desk and on a telephone, in the light and in the dark: no error, and nothing wider than the window."""
    RESULTS[kind]().to_html(tmp_path / "page.html")
    how = {"viewport": {"width": wide, "height": 844}, "color_scheme": "dark" if dark else "light"}
    opened = Opened(browser, (tmp_path / "page.html").as_uri(), **how)
    page = opened.page
    if kind != "nothing" and not page.locator(".sides").count():
        page.locator(".row").first.click()
        page.wait_for_selector(".sides")
    page.wait_for_timeout(50)
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    if kind in ("match", "repeats"):
        assert page.evaluate("document.querySelectorAll('.side.left mark').length")
    assert [] == opened.said
    opened.picture(f"{kind}-{wide}-{'dark' if dark else 'light'}")
    opened.context.close()


def test_repeats_in_their_places(tmp_path: Path, browser: Any) -> None:
    """The whole text has each of its repeats; a click on one shows where it occurred before."""
    one, two, three = (" ".join(corpora.body(seed=seed, size=2)) for seed in (1, 2, 3))
    dedup.find_repeats([one, two, f"{two}\n\n{three}\n\n{one}"]).to_html(tmp_path / "page.html")
    opened = Opened(browser, (tmp_path / "page.html").as_uri())
    page = opened.page
    page.click("text=all in place")
    assert 1 == page.locator(".side").count()
    assert 2 == page.locator(".side mark").count()
    page.locator(".side mark").last.click()
    assert "0" == page.locator("#members [aria-selected=true] bdi").inner_text()
    assert 2 == page.locator(".side mark.lit").count()
    assert [] == opened.said
    opened.context.close()


def test_both_texts_are_seen_on_a_telephone(tmp_path: Path, browser: Any) -> None:
    """One is above the other, and each scrolls by itself to what was clicked."""
    body = corpora.body(seed=4, size=30)
    texts = [" ".join(body), " ".join(["Another beginning.", *body[:-3], "and another end"])]
    dedup.find_duplicates(texts, threshold=0.5).to_html(tmp_path / "page.html")
    opened = Opened(browser, (tmp_path / "page.html").as_uri(), viewport={"width": 390, "height": 844})
    page = opened.page
    page.wait_for_selector(".sides")
    page.locator(".side.left mark").last.click()
    top, bottom = page.evaluate(
        "(() => { const box = document.querySelector('.side.right mark.lit').getBoundingClientRect();"
        " return [box.top, box.bottom]; })()"
    )
    assert top < 844
    assert bottom > 0
    assert page.locator(".side.left").bounding_box()["height"] < 400
    opened.context.close()


def test_without_javascript(tmp_path: Path, browser: Any) -> None:
    """A table of the groups."""
    RESULTS["find"]().to_html(tmp_path / "page.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator("noscript tr").count() > 2
    context.close()
