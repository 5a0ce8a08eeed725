"""`dedup.hashing.shards.SHARD_BYTES`.

How many bytes a shard of hashes aims at.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.shards.SHARD_BYTES",
    [1 << bits for bits in (20, 22, 24, 26, 28)],
    reading(".jsonl", memory="400MB"),
    stages=(),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
