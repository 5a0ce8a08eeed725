"""The part of a large collection that is read: documents of about the same lengths, or texts evenly spaced."""

from __future__ import annotations

from random import Random

import pytest

from dedup.sampling import part
from dedup.sampling.part import part_of
from dedup.sources.coerce import read_texts
from dedup.unit import Unit


def texts_of(lengths: list[int]) -> list[str]:
    """Give a text of each length."""
    return ["x" * length for length in lengths]


def test_a_small_collection_is_read_whole() -> None:
    """Every text is read, and stands for itself."""
    texts = texts_of([5, 0, 900, 7])
    whole = part_of(read_texts(texts), Unit.DOCUMENT)
    assert ([0, 1, 2, 3], [5, 0, 900, 7], 1.0) == (whole.rows.tolist(), whole.lengths.tolist(), whole.share)
    assert texts == [whole.texts[row] for row in range(4)]
    assert "documents were compared with all different ones" == whole.among(4, Unit.DOCUMENT)
    assert 0 == len(part_of(read_texts([]), Unit.DOCUMENT).rows)


@pytest.mark.parametrize("length", [20, 5000])
def test_documents_of_like_lengths(length: int) -> None:
    """As the plain definition has it; the bound is that of characters or of texts, and there are enough texts."""
    random = Random(length)
    count = 9000 if length < 100 else 2000
    lengths = [random.randrange(length // 2, 2 * length) for _ in range(count)]
    texts = texts_of(lengths)
    some = part_of(read_texts(texts), Unit.DOCUMENT)
    most = min(part.READ_TEXTS, int(part.READ_CHARACTERS * count / sum(lengths)))
    most = max(most, part.FEWEST_READ)
    rows = sorted(range(count), key=lambda row: lengths[row])
    each, middles = most // part.WINDOWS, [count * (2 * i + 1) // (2 * part.WINDOWS) for i in range(part.WINDOWS)]
    expected = sorted(row for middle in middles for row in rows[middle - each // 2 :][:each])
    assert expected == some.rows.tolist()
    assert len(expected) == len(set(expected)) == each * part.WINDOWS
    assert (
        [lengths[row] for row in expected]
        == some.lengths.tolist()
        == [len(some.texts[i]) for i in range(len(expected))]
    )
    assert some.share == count / len(expected)
    assert f"{len(expected):,} of the {count:,} documents, of about the same lengths" in some.among(
        count, Unit.DOCUMENT
    )


def test_texts_of_paragraphs_are_evenly_spaced() -> None:
    """Paragraphs come from texts of all lengths; they stand for themselves."""
    texts = texts_of([20] * 10_000)
    some = part_of(read_texts(texts), Unit.PARAGRAPH)
    assert (part.READ_TEXTS, 0, 9999, 1.0) == (len(some.rows), some.rows[0], some.rows[-1], some.share)
    assert "paragraphs were compared with the different ones of 8,000 of the 10,000 documents" == some.among(
        10_000, Unit.PARAGRAPH
    )
