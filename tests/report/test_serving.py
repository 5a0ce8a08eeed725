"""The page of a report from this machine: who is answered, and with what."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

import dedup
from dedup.errors import StorageError
from dedup.report.page import view_of_report
from dedup.report.read import Report
from dedup.report.serving import Server
from dedup.runtime.threads import Background
from tests import corpora


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with files and the report of a search of them."""
    texts = corpora.families(count=8, size=4)
    for name, some in (("a", texts[::2]), ("b", texts[1::2])):
        lines = [json.dumps({"text": text}) + "\n" for text in some]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    dedup.write_report(tmp_path / "report", dedup.find_duplicates(dedup.files(tmp_path), threshold=0.5))
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """Give a server that answers."""
    found = Server(view_of_report(Report.open(folder / "report")))
    Background(lambda _: found.run())
    yield found
    found.close()


def asked(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Ask the server for a path below its token, or for a path that begins with a slash."""
    where = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/.*/)", server.address)
    assert where
    connection = http.client.HTTPConnection("127.0.0.1", int(where[1]), timeout=10)
    connection.request(method, path if path.startswith("/") else where[2] + path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.headers)


def found(server: Server, what: str, **given: Any) -> Any:
    """Ask for data."""
    status, body, _ = asked(server, f"{what}?{urlencode(given)}")
    assert 200 == status, body
    return json.loads(body)


def test_the_list_is_filtered_and_ordered(server: Server, folder: Path) -> None:
    """Rows come in the asked order, with the starts of their texts once these have been read."""
    clusters = Report.open(folder / "report").summary["clusters"]
    assert clusters == found(server, "find", sort="size")["count"]
    for _ in range(100):
        if found(server, "progress")["read"] == clusters:
            break
        time.sleep(0.05)
    rows = found(server, "window", sort="size", first=0, last=1000)
    assert clusters == len(rows)
    assert [row["size"] for row in rows] == sorted((row["size"] for row in rows), reverse=True)
    assert all(row["title"] for row in rows)
    least = [row["similarity"] for row in found(server, "window", sort="least", first=0, last=1000)]
    assert least == sorted(least)
    some = found(server, "window", search=rows[0]["title"][:30], first=0, last=10)
    assert rows[0]["row"] in [row["row"] for row in some]
    assert 0 == found(server, "find", search="no such text anywhere")["count"]
    assert found(server, "find", size=3)["count"] == sum(row["size"] >= 3 for row in rows)
    islands = re.findall('<script type="application/json" id="[a-z]*">(.*?)</script>', asked(server, "")[1].decode())
    head, first = map(json.loads, islands)
    assert set(head["reasons"]) == {row["reason"] for row in rows}
    assert [row["row"] for row in rows[:60]] == [row["row"] for row in first]


def test_a_group_has_the_texts_of_the_files(server: Server, folder: Path) -> None:
    """What is shown is what the file says."""
    (row,) = found(server, "window", sort="size", first=0, last=1)
    group = found(server, "group", row=row["row"])
    for member in group["members"]:
        name, _, number = member["id"].rpartition(":")
        line = Path(name).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        assert json.loads(line)["text"] == "".join(text for _, text in member["pieces"])


def test_the_page_may_ask_its_server_alone(server: Server) -> None:
    """The header and the page have the policy; nothing is stored by the browser."""
    status, page, headers = asked(server, "")
    assert 200 == status
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert b"connect-src" in page
    assert "no-store" == headers["Cache-Control"]
    assert "nosniff" == headers["X-Content-Type-Options"]


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("", "GET", {"Host": "example.com"}, 403),
        ("", "GET", {"Host": "127.0.0.1.example.com"}, 403),
        ("/", "GET", {}, 404),
        ("/wrong/", "GET", {}, 404),
        ("/wrong/group?row=0", "GET", {}, 404),
        ("../../etc/passwd", "GET", {}, 404),
        ("%2e%2e/report.json", "GET", {}, 404),
        ("report.json", "GET", {}, 404),
        ("", "POST", {}, 501),
        ("group", "PUT", {}, 501),
        ("group?row=999999", "GET", {}, 400),
        ("group?row=-1", "GET", {}, 400),
        ("group?row=x", "GET", {}, 400),
        ("group", "GET", {}, 400),
        ("find?size=x", "GET", {}, 400),
        ("window?first=a", "GET", {}, 400),
    ],
)
def test_who_is_not_answered(path: str, method: str, headers: dict[str, str], status: int, server: Server) -> None:
    """Other hosts, other tokens, other paths, other methods and other questions."""
    answer, body, _ = asked(server, path, method, **headers)
    assert status == answer
    assert b"root:" not in body


def test_a_file_that_has_changed(folder: Path) -> None:
    """Its texts are not shown; the page says why."""
    (folder / "a.jsonl").write_text('{"text": "other"}\n')
    changed = Server(view_of_report(Report.open(folder / "report")))
    Background(lambda _: changed.run())
    try:
        status, body, _ = asked(changed, "group?row=0")
        assert 409 == status
        assert "expected the file that was searched" in json.loads(body)["error"]
    finally:
        changed.close()


def test_a_port_that_is_taken(server: Server, folder: Path) -> None:
    """It is an error that names it."""
    port = int(server.address.split(":")[2].split("/")[0])
    with pytest.raises(StorageError, match=f"127.0.0.1:{port}"):
        Server(view_of_report(Report.open(folder / "report")), port)


def test_reports_of_other_kinds_have_pages(folder: Path, tmp_path: Path) -> None:
    """Matches and repeats: from the report the same groups as from the result."""
    left, right = dedup.files(folder / "a.jsonl"), dedup.files(folder / "b.jsonl")
    results = {"match": dedup.match(left, right, min_words=10), "repeats": dedup.find_repeats(left, min_words=10)}
    for name, result in results.items():
        dedup.write_report(tmp_path / name, result)
        report = Report.open(tmp_path / name)
        report.to_html(tmp_path / f"{name}.html")
        one, other = result._view(), view_of_report(report)
        names, others = (view.names(np.arange(len(view))) for view in (one, other))
        assert names == sorted(others, key=names.index)
        assert sorted(one.size.tolist()) == sorted(other.size.tolist())
        assert "<table>" in report._repr_html_()
