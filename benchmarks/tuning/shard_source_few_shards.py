"""`dedup.hashing.shard_source.FEW_SHARDS`.

How many shards per thread are read ahead.
"""

from benchmarks.tuning.calls import bounded
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.shard_source.FEW_SHARDS",
    [1, 2, 4, 8],
    bounded(".jsonl", "200MB"),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
