"""The files in stores and on the web: which there are, and their bytes.

Stores are read by Arrow's file systems, which are part of pyarrow; web addresses by the standard library. Every request
has a limit in time, and is repeated once at most: a wrong address is an error within seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any, cast

from dedup.errors import StorageError
from dedup.sources.files.remote.addresses import ON_WEB, reason_of, scheme_of

__all__ = ["files_below", "kind_of", "open_address"]

CONNECT_SECONDS, REQUEST_SECONDS = 5, 30
"""Seconds, at most, until a connection is there, and between two pieces of an answer."""

REQUEST_ATTEMPTS = 2
"""How often a request is made, at most."""

GOOGLE_SECONDS = 8
"""Seconds in which requests to Google's store are repeated."""

NO_PATTERNS = "; a web server does not list its files, so * is no pattern there: name each file"

AGENT = {"User-Agent": "dedup", "Accept-Encoding": "identity"}
"""What is sent to a web server."""


def kind_of(address: str) -> str:
    """Return "file", "folder", or "" if there is nothing. Raise `OSError` with the reason if it cannot be known."""
    if scheme_of(address) in ON_WEB:
        return "file"
    with _explained(address):
        store, path = _store(address)
        from pyarrow.fs import FileType

        return {FileType.File: "file", FileType.Directory: "folder"}.get(store.get_file_info(path).type, "")


def files_below(address: str) -> list[str]:
    """Return the paths of all files below a folder, relative to it, sorted. Raise `OSError` with the reason."""
    with _explained(address):
        store, path = _store(address)
        from pyarrow.fs import FileSelector, FileType

        found = store.get_file_info(FileSelector(path, recursive=True))
        start = len(path.rstrip("/")) + 1
        return sorted(each.path[start:] for each in found if each.type == FileType.File)


@contextmanager
def open_address(address: str) -> Iterator[IO[bytes]]:
    """Yield the bytes of a file: ``read`` is all that it has. Raise `OSError` with the reason."""
    with _explained(address):
        if scheme_of(address) in ON_WEB:
            import urllib.request

            request = urllib.request.Request(address, headers=AGENT)  # noqa: S310  (its scheme was checked)
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
                yield cast("IO[bytes]", _Whole(answer))
            return
        store, path = _store(address)
        with store.open_input_stream(path, compression=None) as stream:  # else Arrow unpacks by the name
            yield stream


class _Whole:
    """An answer of a server, which must have as many bytes as it says."""

    def __init__(self, answer: Any) -> None:
        length = answer.headers.get("Content-Length", "")
        self._answer, self._read = answer, 0
        self._length = int(length) if length.isascii() and length.isdigit() else None

    def read(self, size: int) -> bytes:
        """Return the next bytes. Raise `OSError` if the answer ends too early."""
        piece: bytes = self._answer.read(size)
        self._read += len(piece)
        if not piece and self._length is not None and self._read < self._length:
            raise OSError(f"the answer ends after {self._read:,} of {self._length:,} bytes; search again")
        return piece


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Turn errors of libraries into `OSError` with the reason, and what to do."""
    import http.client
    import urllib.error

    try:
        yield
    except StorageError:  # of the copy
        raise
    except urllib.error.HTTPError as error:
        many = NO_PATTERNS if "*" in address else ""
        raise OSError(f"the server answers {error.code} {error.reason}; check the address{many}") from None
    except urllib.error.URLError as error:
        inner = error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason))
        raise OSError(f"no connection ({inner.strerror or inner}); check the address and the network") from None
    except http.client.HTTPException as error:
        what = type(error).__name__
        raise OSError(f"the server does not answer as one of the web ({what}); check the address") from None
    except ValueError as error:  # of Arrow, or of the standard library: the address is wrong
        raise OSError(f"{' '.join(str(error).split())[:200]}; check the address") from None
    except OSError as error:
        raise OSError(reason_of(error, address)) from None


def _store(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    from pyarrow import fs

    scheme, path = scheme_of(address), address.partition("://")[2]
    bucket = path.partition("/")[0]
    if scheme == "s3":
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        store = fs.S3FileSystem(
            endpoint_override=endpoint,
            region=region or (None if endpoint else _region(bucket)),
            anonymous=_is_set("AWS_NO_SIGN_REQUEST"),
            connect_timeout=CONNECT_SECONDS,
            request_timeout=REQUEST_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=REQUEST_ATTEMPTS),
        )
        return store, path.rstrip("/")
    if scheme == "gs":
        limit = timedelta(seconds=GOOGLE_SECONDS)
        anonymous = _is_set("GOOGLE_NO_SIGN_REQUEST")
        return fs.GcsFileSystem(anonymous=anonymous, retry_time_limit=limit), path.rstrip("/")
    host = f"{scheme}://{bucket}/"
    return fs.FileSystem.from_uri(host)[0], path.removeprefix(bucket).rstrip("/") or "/"


def _region(bucket: str) -> str | None:
    """Return the region of a bucket; None if it is not known."""
    from pyarrow import fs

    try:
        return str(fs.resolve_s3_region(bucket))
    except (OSError, ValueError):
        return None


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "true", "yes")
