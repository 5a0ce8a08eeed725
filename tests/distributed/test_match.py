"""Two sides matched in stages: the pairs are those of one machine."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.distributed.job import ACROSS, ID, TEXT
from dedup.spark.inputs import checked, job_of
from dedup.spark.match_frames import matches_of
from tests import strategies
from tests.distributed.local_engine import LocalEngine
from tests.distributed.test_stages import versions

OPTIONS_OF_MATCH = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from((0.3, 0.5, 0.8, 1.0)),
        "metric": st.sampled_from(("jaccard", "containment")),
        "unit": st.sampled_from(("document", "paragraph", "line")),
        "distinct": st.sampled_from(((), "numbers", "symbols", ("numbers", "symbols"))),
        "shingle": st.sampled_from(("words:1", "words:3", "chars:4")),
        "ignore": st.sampled_from(((), "accents")),
        "tokens": st.sampled_from(("words", "all")),
    }
)


def same_match(
    left: list[str], right: list[str], engine: LocalEngine, hot: int = 1024, **options: Any
) -> dedup.Matches:
    """Check that both ways give the same pairs, and return them."""
    here = dedup.match(left, right, min_words=None, **options)
    query = checked(**options)
    job = replace(job_of(query, 1), across=True, sides=True, part_bits=2, hot=hot)
    sides = [0] * len(left) + [1] * len(right)
    table = pa.table(
        {
            ID: pa.array([*range(len(left)), *range(len(right))], type=pa.int64()),
            TEXT: pa.array([*left, *right], type=pa.string()),
            ACROSS: pa.array(sides, type=pa.int8()),
        }
    )
    there, cuts, _ = matches_of(engine, engine, table, query, job, pa.int64(), "text")
    assert there.pairs.equals(here.pairs)
    assert there.matched.equals(here.matched)
    assert there.summary == here.summary
    assert (cuts is None) == job.unit.whole
    if cuts is not None:
        assert sorted(set(there.texts.ids_at(cuts.documents).to_pylist())) == here.matched.to_pylist()
    return there


@given(strategies.corpora(), strategies.corpora(), OPTIONS_OF_MATCH, st.integers(0, 99))
def test_any_two_sides_get_the_answer_of_one_machine(
    left: list[str], right: list[str], options: dict[str, Any], seed: int
) -> None:
    left, right = ([text.encode("utf-8", "replace").decode() for text in side] for side in (left, right))
    same_match(left, right, LocalEngine(seed), **options)


@given(st.integers(0, 999), OPTIONS_OF_MATCH, st.sampled_from((2, 3, 1024)))
def test_versions_on_both_sides_get_the_answer_of_one_machine(seed: int, options: dict[str, Any], hot: int) -> None:
    texts = versions(seed, 40, 4, words=12)
    random.Random(seed).shuffle(texts)
    same_match(texts[:25], texts[25:], LocalEngine(seed), hot, **options)


def test_what_is_repeated_on_one_side_alone_is_not_compared() -> None:
    left = versions(1, 300, 1, words=60) + versions(2, 20, 20)
    engine = LocalEngine(most=50)
    found = same_match(left, versions(2, 20, 20), engine, shingle="words:1")
    assert len(found)
    assert engine.moved["meet"] < 20_000
