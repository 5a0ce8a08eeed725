"""`dedup.hashing.labels.KNOWN_LABELS`.

How many labels are remembered, and how many rows of a column are read, at a time.
"""

from benchmarks.tuning.calls import labelling
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.labels.KNOWN_LABELS",
    [1 << bits for bits in range(10, 19, 2)],
    labelling(),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
