"""The page of a report from a server on this machine: for reports of any size, whose texts are read when opened.

The server listens on 127.0.0.1 alone, answers GET alone, and knows no file but the report and its inputs. The address
contains a random token, and the header ``Host`` must name this machine: so neither another user's process that does not
know the token, nor a page in the browser that resolves its own name to 127.0.0.1, is answered.

The page has its first rows. The list is filtered and ordered here, and the browser asks for the other rows that it
shows. When the first are on the screen, a thread reads the inputs once: until it is done, some rows have no start of
their text, and the search does not see it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import numpy.typing as npt

from dedup.errors import DedupError, StorageError
from dedup.page.document import groups_of, head_of, served_page
from dedup.page.escaping import readable
from dedup.page.listing import FIRST_ROWS, largest_first, listed_row
from dedup.page.view import Rows, View
from dedup.runtime.threads import Background, lock

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Server"]

LISTED_ROWS = 1000
"""Groups whose names and starts are made at a time."""

A_MOMENT = 0.001
"""Seconds that the thread which reads leaves to others after each step."""

LONGEST_SERVED = 300_000
"""Characters. A longer text is cut to what it shares: a browser shows so much within a second."""

MOST_ANSWERED = 10_000
"""Rows in one answer."""


class Listed:
    """The groups of a view, filtered and ordered; names and starts are made in a thread."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._names: list[pa.Array] = []  # a part for each LISTED_ROWS groups, in small letters
        self._starts: list[pa.Array] = []
        self._shown: list[pa.Array] = []  # the starts as they are
        self._lock = lock()  # texts are read by one thread at a time
        self._failed: str | None = None
        self._last: tuple[Any, Rows] = (None, np.empty(0, dtype=np.int64))
        self._reading: Background | None = None
        self._begun = lock()

    def _begin(self) -> None:
        """Start the thread that reads, after the first list: so it does not wait for it."""
        with self._begun:
            if self._reading is None:
                self._reading = Background(self._read)

    def stop(self) -> None:
        """End the thread that reads."""
        if self._reading is not None:
            self._reading.stop()

    def _read(self, stopped: Callable[[], bool]) -> None:
        import pyarrow as pa

        parts = np.split(np.arange(len(self._view)), range(LISTED_ROWS, len(self._view), LISTED_ROWS))
        for rows in parts:
            if stopped():
                return
            self._names.append(pa.array([readable(name).lower() for name in self._view.names(rows)], pa.string()))
            sleep(A_MOMENT)
        for rows in parts:
            if stopped():
                return
            try:
                with self._lock:
                    found = [readable(start) for start in self._view.starts(rows)]
            except DedupError as error:
                self._failed = readable(str(error))
                return
            self._starts.append(pa.array([start.lower() for start in found], pa.string()))
            self._shown.append(pa.array(found, pa.string()))
            sleep(A_MOMENT)  # else the next rows would have the lock before those who wait for it

    def progress(self, _: dict[str, str]) -> dict[str, Any]:
        """Return how many starts of texts have been read, and why no more are."""
        self._begin()
        return {"read": min(LISTED_ROWS * len(self._shown), len(self._view)), "failed": self._failed}

    @cache  # noqa: B019  # as long as the server
    def _order(self, name: str) -> Rows:
        """Return all groups in an order."""
        view = self._view
        like = view.similarity
        if name == "size":
            return largest_first(view, np.arange(len(view)))
        by: dict[str, npt.NDArray[Any]] = {
            "near": np.where(np.isnan(like), np.inf, np.abs(like - view.threshold)),
            "least": np.where(np.isnan(like), 9.0, like),
            "most": -np.where(np.isnan(like), -1.0, like),
        }
        return np.argsort(by[name], kind="stable") if name in by else np.arange(len(view))

    def find(self, asked: dict[str, str]) -> Rows:
        """Return the groups that fit a filter, in the order that is asked for."""
        key = {name: asked.get(name, "") for name in ("search", "sort", "reason", "source", "least", "most", "size")}
        wanted = key["search"].lower()
        known = (key, len(self._names) + len(self._starts) if wanted else 0)
        last, rows = self._last
        if last == known:
            return rows
        view = self._view
        like = view.similarity
        fits = view.size >= float(key["size"] or 0)
        fits &= np.isnan(like) | ((like >= float(key["least"] or -1)) & (like <= float(key["most"] or 2)))
        if key["reason"]:
            fits &= view.reason == key["reason"]
        if key["source"] and view.source is not None:
            fits &= view.source == int(key["source"])
        if wanted:
            fits &= _has(self._names, wanted, len(view)) | _has(self._starts, wanted, len(view))
        order = self._order(key["sort"])
        rows = order[fits[order]]
        self._last = known, rows
        return rows

    def window(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """Return some rows of the list; the start of a text is null until it has been read."""
        view = self._view
        first, last = int(asked.get("first", 0)), int(asked.get("last", 0))
        rows = self.find(asked)[max(first, 0) : min(last, first + MOST_ANSWERED)]
        found = []
        for row, name in zip(rows.tolist(), view.names(rows), strict=True):
            part, at = divmod(row, LISTED_ROWS)
            title = self._shown[part][at].as_py() if part < len(self._shown) else None
            found.append(listed_row(view, row, row, readable(name), title))
        return found

    def group(self, row: int) -> dict[str, Any]:
        """Return a group with its texts; it waits until no other text is being read."""
        if not 0 <= row < len(self._view):
            raise ValueError(row)
        with self._lock:
            return next(groups_of(self._view, np.array([row]), LONGEST_SERVED))


def _has(parts: list[pa.Array], wanted: str, count: int) -> npt.NDArray[np.bool_]:
    """Return which of `count` groups have a text in their string; those that are not known yet have not."""
    import pyarrow.compute as pc

    fits = np.zeros(count, dtype=np.bool_)
    for number, part in enumerate(list(parts)):
        first = number * LISTED_ROWS
        fits[first : first + len(part)] = pc.match_substring(part, wanted).to_numpy(zero_copy_only=False)
    return fits


class Server:
    """The page of a report on 127.0.0.1, until it is closed.

    `port` 0 takes a free one. Raises `StorageError` if the port cannot be had.
    """

    def __init__(self, view: View, port: int = 0) -> None:
        self._listed = Listed(view)
        self.token = secrets.token_urlsafe(16)
        head = {**head_of(view), "served": True, "note": "Texts are read from the files that were searched."}
        first = self._listed.window({"sort": "size", "last": str(FIRST_ROWS)})
        page, policy = served_page(view.title, head, first)
        answers = _handler(self._listed, self.token, page, policy)
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), answers)
        except (OSError, OverflowError) as error:
            self._listed.stop()
            raise StorageError(f"port: expected to listen on 127.0.0.1:{port}, found: {error}; name another") from error
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self.token}/"

    def run(self) -> None:
        """Answer until the process is interrupted or `close` is called."""
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """End the server."""
        self._listed.stop()
        self._server.shutdown()
        self._server.server_close()


def _handler(listed: Listed, token: str, page: str, policy: str) -> type[BaseHTTPRequestHandler]:
    answers: dict[str, Callable[[dict[str, str]], Any]] = {
        "progress": listed.progress,
        "find": lambda asked: {"count": len(listed.find(asked))},
        "window": listed.window,
        "group": lambda asked: listed.group(int(asked["row"])),
    }

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "dedup", ""
        timeout = 30

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").rsplit(":", 1)[0]
            if host not in ("127.0.0.1", "localhost"):
                self._send(HTTPStatus.FORBIDDEN, "text/plain", b"this server answers to 127.0.0.1\n")
                return
            parts = urlsplit(self.path)
            _, given, what = (*parts.path.split("/", 2), "", "")[:3]
            if not secrets.compare_digest(given.encode(), token.encode()) or what not in ("", *answers):
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
                return
            if not what:
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", page.encode())
                return
            asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            try:
                status, found = HTTPStatus.OK, answers[what](asked)
            except DedupError as error:
                status, found = HTTPStatus.CONFLICT, {"error": readable(str(error))}
            except (KeyError, ValueError, IndexError):
                status, found = HTTPStatus.BAD_REQUEST, {"error": "not a question that this page asks"}
            body = json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
            self._send(status, "application/json", body)

        def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(body)),
                "Content-Security-Policy": policy,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Resource-Policy": "same-origin",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the terminal shows the address alone."""

    return Handler
