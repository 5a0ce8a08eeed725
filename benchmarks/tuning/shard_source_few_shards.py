"""`dedup.hashing.shard_source.FEW_SHARDS`.

How many shards per thread are read ahead.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.shard_source.FEW_SHARDS",
    [1, 2, 3, 4],
    reading(".jsonl", memory="400MB"),
    stages=(),
    corpus="generated:20000",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)
