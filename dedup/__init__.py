"""dedup finds duplicate and near-duplicate texts and repeated passages, exactly, and reports the evidence.

>>> import dedup
>>> result = dedup.find_duplicates(["one two three four five six", "One, two, three, four, five, six.", "other"])
>>> result.clusters.select(["id", "kept_id", "reason"]).to_pylist()
[{'id': 0, 'kept_id': 0, 'reason': None}, {'id': 1, 'kept_id': 0, 'reason': 'exact'}]

Each name is loaded when it is first used, so ``import dedup`` is fast. It loads no module at all: Ctrl-C while the
command starts is handled by `dedup.__main__`, which comes after this.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of `typing`, which is not loaded for it
if TYPE_CHECKING:
    from typing import Any

    from dedup import errors, interop, lsh, minhash, shingling
    from dedup.errors import DedupError, InputError, ParameterError, StorageError
    from dedup.index.check import IndexCheck
    from dedup.index.index import Index
    from dedup.index.query import IndexMatches
    from dedup.index.reading import IndexStats
    from dedup.pipelines.compare import Comparison, Span, compare
    from dedup.pipelines.estimate import Estimate, estimate
    from dedup.pipelines.find import find_duplicates
    from dedup.pipelines.match import match
    from dedup.pipelines.repeats import find_repeats
    from dedup.pipelines.suggest import suggest
    from dedup.report.apply import Applied, apply_report
    from dedup.report.read import Report
    from dedup.report.write import write_report
    from dedup.results.duplicates import Duplicates
    from dedup.results.matches import Matches
    from dedup.results.repeat import Repeat, RepeatInColumns
    from dedup.results.repeats import Repeats
    from dedup.results.suggestion import Suggestion
    from dedup.results.summary import MatchSummary, Summary
    from dedup.sources.files.naming import Files, files

__version__ = "0.2.0"

__all__ = [
    "Applied",
    "Comparison",
    "DedupError",
    "Duplicates",
    "Estimate",
    "Files",
    "Index",
    "IndexCheck",
    "IndexMatches",
    "IndexStats",
    "InputError",
    "MatchSummary",
    "Matches",
    "ParameterError",
    "Repeat",
    "RepeatInColumns",
    "Repeats",
    "Report",
    "Span",
    "StorageError",
    "Suggestion",
    "Summary",
    "apply_report",
    "compare",
    "errors",
    "estimate",
    "files",
    "find_duplicates",
    "find_repeats",
    "interop",
    "lsh",
    "match",
    "minhash",
    "shingling",
    "spark",
    "suggest",
    "write_report",
]

_HOMES = {
    "Applied": "report.apply",
    "Comparison": "pipelines.compare",
    "DedupError": "errors",
    "Duplicates": "results.duplicates",
    "Estimate": "pipelines.estimate",
    "Files": "sources.files.naming",
    "Index": "index.index",
    "IndexCheck": "index.check",
    "IndexMatches": "index.query",
    "IndexStats": "index.reading",
    "InputError": "errors",
    "MatchSummary": "results.summary",
    "Matches": "results.matches",
    "ParameterError": "errors",
    "Repeat": "results.repeat",
    "RepeatInColumns": "results.repeat",
    "Repeats": "results.repeats",
    "Report": "report.read",
    "Span": "pipelines.compare",
    "StorageError": "errors",
    "Suggestion": "results.suggestion",
    "Summary": "results.summary",
    "apply_report": "report.apply",
    "compare": "pipelines.compare",
    "estimate": "pipelines.estimate",
    "files": "sources.files.naming",
    "find_duplicates": "pipelines.find",
    "find_repeats": "pipelines.repeats",
    "match": "pipelines.match",
    "suggest": "pipelines.suggest",
    "write_report": "report.write",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        value = getattr(import_module(f"dedup.{_HOMES[name]}"), name)
    elif name in __all__:
        value = import_module(f"dedup.{name}")
    else:
        raise AttributeError(f"module 'dedup' has no attribute {name!r}; it has {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
