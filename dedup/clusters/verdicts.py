"""Verdicts: which units of a collection are kept, by the stars.

Usually the centre of a cluster is kept, and its other members are removed. ``keep="none"`` removes the centre too. A
cluster that occurs in fewer documents than `min_documents` removes nothing. In naive Python::

    for cluster in clusters_of(star):
        few = len({document[unit] for unit in cluster}) < min_documents
        for unit in cluster:
            kept[unit] = few or (unit == star[unit] and not none)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["documents_of", "kept_units"]

Rows = npt.NDArray[np.int64]


def documents_of(numbers: Rows, documents: Rows) -> Rows:
    """Return how many documents each cluster occurs in (int64), by the number of its cluster and document per member.

    Cost: a sort of the members.
    """
    both = np.unique(np.column_stack((numbers, documents)), axis=0)
    return np.bincount(both[:, 0], minlength=int(numbers.max(initial=-1)) + 1).astype(np.int64)


def kept_units(
    star: Rows, members: Rows, numbers: Rows, documents: Rows, *, none: bool, least: int
) -> npt.NDArray[np.bool_]:
    """Return which units are kept (bool).

    Parameters
    ----------
    star : int64, by unit; the centre of its cluster, itself for a unit in no cluster
    members, numbers : int64; the members of clusters of two or more, and the numbers of their clusters
    documents : int64, by member; the document that it is in
    none : whether the centre is removed too
    least : a cluster that occurs in fewer documents removes nothing
    """
    kept = np.equal(star, np.arange(len(star)))
    if none:
        kept[members] = False
    if least > 1:
        few = documents_of(numbers, documents) < least
        kept[members[few[numbers]]] = True
    return kept
