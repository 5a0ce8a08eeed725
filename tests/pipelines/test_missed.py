"""The warning that pairs stand apart below the threshold: where they do, the same in every engine, else none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

import dedup
from dedup.options import ProgressOption
from dedup.pipelines.find_files import FileRun, find_in_files
from dedup.pipelines.match import match
from tests.plans import OnDisk

WORDS = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "io", "u") for c in ("ra", "net", "sil", "m", "ko", "da")
]
FORMULA = [" ".join(Random(f"formula {i}").choices(WORDS, k=60)) for i in range(30)]


def prose(random: Random, least: int = 60, most: int = 160) -> list[str]:
    """Give words of a text, some far more frequent than others."""
    return random.choices(WORDS, [1 / (rank + 3) for rank in range(len(WORDS))], k=random.randint(least, most))


def edited(random: Random, words: list[str], share: float) -> list[str]:
    """Give a copy in which a share of the words are others."""
    return [random.choice(WORDS) if random.random() < share else word for word in words]


def halved(count: int, share: float, seed: int = 1, **how: int) -> list[str]:
    """Give texts of which every second one has an edited copy."""
    random, made = Random(seed), []
    for i in range(count):
        words = prose(random, **how)
        made.append(" ".join(words))
        if i % 2:
            made.append(" ".join(edited(random, words, share)))
    return made


def warned(warnings: tuple[str, ...]) -> list[str]:
    """Give those of the warnings that are about pairs below the threshold."""
    return [each for each in warnings if "far above what unrelated ones share" in each]


@pytest.mark.parametrize("share", [0.08, 0.11, 0.14])
def test_pairs_below_the_threshold_are_told(share: float) -> None:
    """Where a tenth of the words is edited, nothing reaches 0.8, and the warning names an option that finds most."""
    texts = halved(300, share)
    summary = dedup.find_duplicates(texts).summary
    assert len(warned(summary.warnings)) == 1
    assert "dedup" not in warned(summary.warnings)[0]
    advice = float(warned(summary.warnings)[0].partition("try threshold=")[2].partition(" ")[0])
    again = dedup.find_duplicates(texts, threshold=advice).summary
    assert again.pairs >= 100
    assert not warned(again.warnings)


@pytest.mark.parametrize(("every", "told"), [(6, 0), (7, 0), (9, 1), (11, 1)])
def test_a_threshold_that_would_find_few_is_not_told(every: int, told: int) -> None:
    """Where each seventh word is another, most pairs are below 0.2, the lowest threshold that is named."""
    random, texts = Random(4), []
    for _ in range(400):
        words = prose(random, 100, 200)
        texts += [" ".join(words), " ".join("changed" if i % every == 3 else word for i, word in enumerate(words))]
    found = warned(dedup.find_duplicates(texts).summary.warnings)
    assert len(found) == told
    if told:
        advice = float(found[0].partition("try threshold=")[2].partition(" ")[0])
        assert dedup.find_duplicates(texts, threshold=advice).summary.pairs >= 240


def test_what_is_found_is_not_told() -> None:
    """Where the search finds the pairs, or most of them, nothing is said."""
    assert not warned(dedup.find_duplicates(halved(300, 0.01)).summary.warnings)
    assert not warned(dedup.find_duplicates(halved(300, 0.1), threshold=0.2).summary.warnings)


def chinese(random: Random) -> str:
    """Give a text of Han characters."""
    return "".join(chr(0x4E00 + int(random.paretovariate(0.5)) % 3000) for _ in range(random.randint(40, 200)))


def stub(random: Random) -> str:
    """Give an article about a village."""
    name, other, third = random.sample(WORDS, 3)
    return (
        f"{name} is a village in the district of {other} in the north of {third}. At the census of "
        f"{random.randint(1900, 2020)} it had a population of {random.randint(10, 90000)} in {random.randint(3, 9000)} "
        f"families. The {' '.join(random.choices(WORDS, k=9))}."
    )


UNRELATED: dict[str, Callable[[Random], str]] = {
    "prose": lambda random: " ".join(prose(random)),
    "titles": lambda random: " ".join(prose(random, 3, 9)),
    "long": lambda random: " ".join(prose(random, 500, 1500)),
    "numbers": lambda random: " ".join(str(random.randint(0, 99)) for _ in range(random.randint(10, 100))),
    "log": lambda random: (
        f"{random.randint(1, 28)} {random.randint(0, 23)} INFO request {random.random()} of "
        f"{random.choice(WORDS)} to {random.choice(WORDS)} took {random.randint(1, 999)} ms, {random.randint(2, 5)}00"
    ),
    "signatures": lambda random: " ".join(prose(random)) + " " + random.choice(FORMULA[:20]),
    "menu": lambda random: FORMULA[0] + " " + " ".join(prose(random)),
    "statutes": lambda random: " ".join([*prose(random), *random.sample(FORMULA, 6)]),
    "stubs": stub,
    "Chinese": chinese,
    "sites": lambda random: FORMULA[random.randrange(5)] + " " + " ".join(prose(random)),
    "licence": lambda random: (
        (FORMULA[0] + " " + FORMULA[1] if random.random() < 0.5 else "") + " ".join(prose(random))
    ),
}


@pytest.mark.parametrize("kind", UNRELATED)
@pytest.mark.parametrize("count", [60, 900])
def test_nothing_is_told_of_unrelated_texts(kind: str, count: int) -> None:
    """Unrelated texts give no warning, also where they share formulas."""
    random = Random(f"{kind} {count}")
    texts = [UNRELATED[kind](random) for _ in range(count)]
    assert not warned(dedup.find_duplicates(texts).summary.warnings)
    assert not warned(dedup.find_duplicates(texts, metric="containment").summary.warnings)
    if kind in ("titles", "log", "stubs"):
        assert not warned(dedup.find_duplicates(texts, metric="edit").summary.warnings)


def test_titles_by_edit_distance() -> None:
    """What ``metric="edit"`` misses is told with a threshold that it takes."""
    texts = halved(400, 0.0, least=6, most=9)
    random = Random(3)
    texts = [text if random.random() < 0.5 else " ".join(edited(random, text.split(" "), 0.17)) for text in texts]
    summary = dedup.find_duplicates(texts, metric="edit", threshold=0.97).summary
    (told,) = warned(summary.warnings)
    advice = float(told.partition("try threshold=")[2].partition(" ")[0])
    again = dedup.find_duplicates(texts, metric="edit", threshold=advice).summary
    assert again.differences["words"] > 4 * summary.differences["words"] + 10


@pytest.mark.parametrize(
    "options", [{}, {"method": "lsh"}, {"unit": "paragraph"}, {"distinct": "numbers"}, {"within": "label"}]
)
def test_every_engine_says_the_same(tmp_path: Path, options: dict[str, Any]) -> None:
    """In memory, within a bound, in files, in a work directory, with threads: one warning."""
    texts = halved(700, 0.15)
    labels = [i % 2 for i in range(len(texts))] if "within" in options else None
    rows = [{"text": text, **({} if labels is None else {"label": label // 300})} for label, text in enumerate(texts)]
    expected = dedup.find_duplicates(rows, column="text", threads=1, **options).summary
    assert len(warned(expected.warnings)) == 1
    assert expected == dedup.find_duplicates(rows, column="text", threads=3, **options).summary
    assert expected == dedup.find_duplicates(rows, column="text", memory="300MB", **options).summary
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    for how in ({}, {"work_dir": tmp_path / "work", "planned": OnDisk}):
        found = find_in_files([file], **how, **options)  # type: ignore[arg-type]
        assert isinstance(found, FileRun)
        assert expected.warnings == found.duplicates.summary.warnings


@pytest.mark.parametrize(("copies", "told"), [(0, 1), (300, 0)])
def test_a_resumed_run_says_the_same(copies: int, told: int, tmp_path: Path) -> None:
    """What an earlier run has read is sketched in the end, and only if the search found few pairs."""
    texts = halved(700, 0.15)
    texts += [f"{text} more" for text in texts[:copies]]
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    stages: list[str] = []

    def stop(stage: str, _: int, __: int) -> None:
        if stage == "join":
            raise KeyboardInterrupt

    def search(progress: ProgressOption) -> FileRun:
        found = find_in_files([tmp_path / "texts.jsonl"], work_dir=tmp_path / "work", planned=OnDisk, progress=progress)
        assert isinstance(found, FileRun)
        return found

    with pytest.raises(KeyboardInterrupt):
        search(stop)
    found = search(lambda stage, done, total: stages.append(stage)).duplicates.summary
    assert ("sketches" in stages) == bool(told)
    assert len(warned(found.warnings)) == told
    assert found.warnings == dedup.find_duplicates(texts).summary.warnings


def test_pairs_of_one_label_are_not_told() -> None:
    """Texts that are no pair by `across` or `distinct` are not told, however similar."""
    texts = halved(300, 0.15)
    labels = [i for i in range(300) for _ in range(1 + i % 2)]
    assert not warned(dedup.find_duplicates(texts, across=labels).summary.warnings)
    assert warned(dedup.find_duplicates(texts, across=list(range(len(texts)))).summary.warnings)


def test_a_match_tells_it_too() -> None:
    """A match whose sides have near texts below the threshold names a lower one, and not `suggest`."""
    random = Random(5)
    left = [prose(random) for _ in range(300)]
    right = [" ".join(edited(random, words, 0.15)) for words in left]
    (told,) = warned(match([" ".join(words) for words in left], right).summary.warnings)
    assert "try threshold=" in told
    assert "suggest" not in told
    apart = [" ".join(prose(random)) for _ in range(300)]
    assert not warned(match(halved(200, 0.15), apart).summary.warnings)
