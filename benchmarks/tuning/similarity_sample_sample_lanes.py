"""`dedup.lsh.similarity_sample.SAMPLE_LANES`.

How many lanes the sample has that shows how alike the texts of a collection are.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.lsh.similarity_sample.SAMPLE_LANES",
    [32, 64, 128, 256, 512],
    searching(method="lsh"),
    stages=("signatures",),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
