"""`dedup.edit.join.ENTRY_SHARE`.

From how many entries of the index per pair on the signatures of all texts are looked at.
"""

from benchmarks.tuning.calls import comparing_titles
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.edit.join.ENTRY_SHARE",
    [0.25, 0.5, 1.0, 2.0, 4.0],
    comparing_titles(),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
