"""Texts to measure with, by name: generated ones, families of near copies, and real sets.

    generated:20000            20,000 documents of `news.py`, 2,000 bytes on average
    generated:20000:500:7      of 500 bytes, with seed 7
    chinese:20000              the same in Han characters, without spaces
    family:10000               10,000 near copies of one text, any two with Jaccard about 0.9
    family:10000:2000:1:0.95   mean bytes, seed, similarity
    versions:25750             versions in lineages of 10 to 700, each with a few edits of the one before it
    versions:2650:45000:1      mean bytes, seed
    ota_dev, dc_laws_dev, …    real sets, from the folder that DEDUP_DATA (environment) names

A corpus is written once as its UTF-8 in a row with offsets, so that every measurement, each in its
own process, reads the same bytes and is handed strings decoded a moment ago: Python keeps the UTF-8
of a string that was asked for once, and a tool that finds it there is spared a conversion that its
users pay for.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from benchmarks import needs
from benchmarks.corpora import chinese, news, vocabulary

Reader = Callable[[Path], Iterator[str]]


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk: `path` holds the UTF-8, `path` with the suffix .npy the offsets.

    The digest is taken over all lengths and bytes: equal only for the same texts in the same order.
    """

    name: str
    digest: str
    documents: int
    bytes: int
    path: str


def generate(documents: int, mean_bytes: int = 2000, seed: int = 1) -> Iterator[list[str]]:
    """Generated news in blocks: see `news.py` for what is planted in it."""
    return news.generate(documents, mean_bytes, seed)


def corpus(documents: int, mean_bytes: int = 2000, seed: int = 1) -> list[str]:
    """Generated news as one list."""
    return list(chain.from_iterable(generate(documents, mean_bytes, seed)))


def family(members: int, mean_bytes: int = 2000, seed: int = 1, similarity: float = 0.9) -> list[str]:
    """Near copies of one template, any two of about this Jaccard similarity."""
    return list(chain.from_iterable(news.family(members, mean_bytes, seed, similarity)))


def fresh(texts: Iterable[str]) -> Iterator[str]:
    """The same texts as strings that nobody has asked for their UTF-8 yet."""
    for text in texts:
        yield text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")


def _content(path: Path) -> str:
    """The text of a file, which may be compressed."""
    if path.suffix == ".zst":
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            return bytes(stream.read()).decode("utf-8")
    return path.read_bytes().decode("utf-8")


def _lines(path: Path) -> Iterator[str]:
    """The `text` of each line of JSON; a line ends at a line feed and nowhere else."""
    for line in _content(path).split("\n"):
        if line.strip():
            yield str(json.loads(line)["text"])


def _json(*files: str) -> Reader:
    def read(folder: Path) -> Iterator[str]:
        for file in files:
            yield from _lines(folder / file)

    return read


def _articles(folder: Path) -> Iterator[str]:
    for line in _content(folder / "articles_2500.train.zst").split("\n"):
        if line.strip():
            yield line.partition(" ")[2]


def _books(folder: Path) -> Iterator[str]:
    for path in sorted([*folder.glob("*.txt"), *folder.glob("*.txt.zst")], key=lambda found: found.name):
        yield _content(path)


REAL: Final[dict[str, tuple[str, Reader]]] = {
    "bible_versions": ("bible_versions", _json("bible_chapters.jsonl.zst")),
    "civil_codes_dev": ("civil_codes_dev", _books),
    "dc_laws_dev": ("dc_laws_dev", _json("dc_laws.jsonl.zst")),
    "de_gesetze": ("de_gesetze", _json("de_gesetze.jsonl.zst")),
    "licences": (
        "licences",
        _json("scancode_licensedb.jsonl.zst", "google_licenseclassifier_v2.jsonl.zst"),
    ),
    "minhash_articles_2500": ("minhash_articles", _articles),
    "ota_dev": ("ota_dev", _json("ota_versions.jsonl.zst")),
    "tang_poetry": ("tang_poetry", _json("quantangshi.jsonl.zst", "yuding_quantangshi.jsonl.zst")),
    "win32_docs": ("win32_docs", _json("win32_docs.jsonl.zst")),
}


def real(name: str) -> list[str]:
    """A real set, in the order of its files; an error where DEDUP_DATA does not lead to it."""
    folder, read = REAL[name]
    return list(read(needs.data(folder)))


def blocks(name: str) -> Iterator[list[str]]:
    """The texts of a corpus by its name, in blocks."""
    kind, *numbers = name.split(":")
    with suppress(ValueError):  # of int and float
        if kind == "generated" and 1 <= len(numbers) <= 3:
            return news.generate(*(int(number) for number in numbers))
        if kind == "chinese" and 1 <= len(numbers) <= 3:
            return chinese.generate(*(int(number) for number in numbers))
        if kind == "versions" and 1 <= len(numbers) <= 3:
            return news.versions(*(int(number) for number in numbers))
        if kind == "family" and 1 <= len(numbers) <= 4:
            return news.family(*(int(number) for number in numbers[:3]), *(float(number) for number in numbers[3:]))
    if name in REAL:
        return iter([real(name)])
    known = ", ".join(sorted(REAL))
    raise SystemExit(
        "corpus: expected generated:N[:bytes[:seed]], chinese:N[:bytes[:seed]], versions:N[:bytes[:seed]], "
        f"family:N[:bytes[:seed[:J]]] or one of {known}; found {name!r}"
    )


def cache_folder() -> Path:
    """Where corpora and truths are kept: DEDUP_BENCH_CACHE, or a folder for temporary files."""
    chosen = os.environ.get("DEDUP_BENCH_CACHE")
    folder = Path(chosen) if chosen else Path(tempfile.gettempdir()) / "dedup-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepared(name: str) -> Corpus:
    """Return the corpus on disk; a generated one is written only if it is not there yet."""
    sources = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (chinese, news, vocabulary))
    key = hashlib.blake2b(sources.encode(), digest_size=4).hexdigest()
    path = cache_folder() / f"{re.sub(r'[^a-z0-9.]+', '-', name)}-{key}.utf8"
    record = path.with_suffix(".json")
    if name not in REAL and record.exists():
        return Corpus(**{**json.loads(record.read_text()), "path": str(path)})
    state = hashlib.blake2b(digest_size=8)
    lengths: list[int] = []
    with path.open("wb") as file:
        for text in chain.from_iterable(blocks(name)):
            raw = text.encode("utf-8", "surrogatepass")
            state.update(len(raw).to_bytes(8, "little"))
            state.update(raw)
            lengths.append(len(raw))
            file.write(raw)
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)))
    np.save(path.with_suffix(".npy"), offsets)
    made = Corpus(name, state.hexdigest(), len(lengths), int(offsets[-1]), str(path))
    record.write_text(json.dumps(asdict(made)))
    return made


def loaded(path: str) -> list[str]:
    """The texts of a corpus on disk as fresh strings; the bytes are mapped, never copied."""
    offsets = np.load(Path(path).with_suffix(".npy")).tolist()
    if offsets[-1] == 0:
        return [""] * (len(offsets) - 1)
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
    ):
        spans = pairwise(offsets)
        return [view[start:stop].decode("utf-8", "surrogatepass") for start, stop in spans]


def main() -> None:
    """Make the corpora named on the command line and print their digests."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corpora.named", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("corpus", nargs="+", help="the name of a corpus")
    for name in parser.parse_args().corpus:
        made = prepared(name)
        print(f"{made.name}  documents {made.documents:,}  bytes {made.bytes:,}  digest {made.digest}")


if __name__ == "__main__":
    main()
