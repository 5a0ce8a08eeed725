"""`dedup.pairs.verify.CANDIDATE_SLICE`.

How many candidates a thread counts at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.verify.CANDIDATE_SLICE",
    [1 << bits for bits in range(9, 21, 3)],
    searching(method="lsh"),
    stages=("verify",),
    corpus="generated:20000,ota_dev",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)
