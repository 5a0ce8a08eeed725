"""A web service that says whether a text was seen before, and remembers texts.

Worker processes answer from the index, which they only read. One other process writes it: it takes the texts that the
workers put into a folder, and commits them.

    dedup index create seen.index
    SEEN_INDEX=seen.index SEEN_SPOOL=spool python docs/examples/seen_service.py            # the writer
    SEEN_INDEX=seen.index SEEN_SPOOL=spool uvicorn --app-dir docs/examples seen_service:app --workers 4
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import FrameType

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import dedup

INDEX, SPOOL = Path(os.environ.get("SEEN_INDEX", "seen.index")), Path(os.environ.get("SEEN_SPOOL", "spool"))

EVERY = 0.2
"""Seconds between two looks for something new."""


# the readers


async def ask(request: Request) -> JSONResponse:
    """Return the most similar document, if one reaches the threshold: `seen`, `id`, `similarity`."""
    text = (await request.body()).decode("utf-8", "replace")
    found = await run_in_threadpool(request.app.state.index.best, text)
    if found is None:
        return JSONResponse({"seen": False})
    return JSONResponse({"seen": True, "id": found[0], "similarity": found[1]})


async def remember(request: Request) -> JSONResponse:
    """Put a text into the spool. The answer is given once it is on disk; it is found some moments later."""
    name = request.query_params.get("id") or uuid.uuid4().hex
    text = (await request.body()).decode("utf-8", "replace")
    await run_in_threadpool(put, name, text)
    return JSONResponse({"id": name}, status_code=202)


def put(name: str, text: str) -> None:
    """Write a file that is whole or absent."""
    path = SPOOL / f"{time.time_ns():020}-{uuid.uuid4().hex}.json"
    with path.with_suffix(".part").open("w", encoding="utf-8") as file:
        json.dump({"id": name, "text": text}, file)
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".part").rename(path)


async def refresh(index: dedup.Index) -> None:
    """Take the newest commit, if there is one: a look at one file."""
    while True:
        await asyncio.sleep(EVERY)
        await run_in_threadpool(index.refresh)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the index when a worker starts."""
    SPOOL.mkdir(exist_ok=True)
    with dedup.Index.open(INDEX) as index:
        app.state.index = index
        task = asyncio.create_task(refresh(index))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


app = Starlette(
    routes=[Route("/ask", ask, methods=["POST"]), Route("/remember", remember, methods=["POST"])], lifespan=lifespan
)


# the writer


def write() -> None:
    """Add what is in the spool, in order, and commit; a file is removed when its text is safe. Ends with SIGTERM."""
    ended = False

    def end(_: int, __: FrameType | None) -> None:
        nonlocal ended
        ended = True

    signal.signal(signal.SIGTERM, end)
    SPOOL.mkdir(exist_ok=True)
    with dedup.Index.open(INDEX, write=True) as index:
        while not ended:
            files = sorted(SPOOL.glob("*.json"))[:1000]
            rows = [json.loads(file.read_text(encoding="utf-8")) for file in files]
            newest = {row["id"]: row["text"] for row in rows}
            # after an interruption a text may be in the index and in the spool: then it is left out
            index.add(newest, replace=True, resume=True)
            index.commit()
            for file in files:
                file.unlink()
            if not files:
                time.sleep(EVERY)


if __name__ == "__main__":
    write()
