"""The format of a file as its name gives it, or an option."""

from __future__ import annotations

from pathlib import Path

from dedup.errors import ParameterError

__all__ = [
    "BINARY",
    "COMPRESSIONS",
    "DOCUMENTS",
    "FORMATS",
    "NAMED_ONLY",
    "SEPARATORS_SHOWN",
    "WITHOUT_COLUMNS",
    "check_format",
    "compression_of_name",
    "format_of_name",
]

FORMATS = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "txt": "txt",
    "md": "txt",
    "markdown": "txt",
    "html": "html",
    "htm": "html",
    "xhtml": "html",
    "warc": "warc",
    "wet": "warc",
    "xml": "mediawiki",
    "parquet": "parquet",
    "arrow": "arrow",
    "feather": "arrow",
}
"""Suffixes, and the format of each."""

NAMED_ONLY = ("csv-semicolon", "csv-bar", "lines", "mediawiki")
"""Formats that no suffix has."""

BINARY = {"parquet", "arrow", "warc"}
"""Formats that are not text, or name the encodings of their texts themselves."""

DOCUMENTS = {"txt", "html"}
"""Formats of which a file is one text; its id is its path."""

WITHOUT_COLUMNS = DOCUMENTS | {"lines"}
"""Formats of texts alone."""

SEPARATORS_SHOWN = {"tsv": "tabs", "csv-semicolon": "semicolons", "csv-bar": "bars"}
"""Separators other than commas, as people call them."""

COMPRESSIONS = {"gz": "gzip", "zst": "zstd", "bz2": "bz2", "xz": "xz"}
"""Suffixes after that of the format, and the compression of each."""


def format_of_name(path: str) -> tuple[str, str | None] | None:
    """Return the format and compression that a name gives; None if it gives no format."""
    suffixes = [suffix.removeprefix(".").lower() for suffix in Path(path).suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression is not None:
        suffixes.pop()
    return (FORMATS[suffixes[-1]], compression) if suffixes and suffixes[-1] in FORMATS else None


def compression_of_name(path: str) -> str | None:
    """Return the compression that a name gives; None if it gives none."""
    return COMPRESSIONS.get(Path(path).suffix.removeprefix(".").lower())


def check_format(format: str | None) -> tuple[str, str | None] | None:
    """Return the format and the compression of a name such as "csv.gz", or raise `ParameterError`; None for None."""
    if format is None:
        return None
    found = format_of_name(f"x.{format}") if isinstance(format, str) and not format.startswith("xml") else None
    if isinstance(format, str) and (name := format.partition("."))[0] in NAMED_ONLY and name[2] in {"", *COMPRESSIONS}:
        found = (name[0], COMPRESSIONS.get(name[2]))
    if found is None:
        known, suffixes = (
            ", ".join(repr(name) for name in [*FORMATS, *NAMED_ONLY] if name != "xml"),  # XML may be anything
            ", ".join(f".{suffix}" for suffix in COMPRESSIONS),
        )
        raise ParameterError(
            f"format: expected one of {known}, with or without one of {suffixes} after it, found {format!r}"
        )
    return found
