"""`dedup.hashing.shards.SHARD_BYTES`.

How many bytes of hashes and rows a shard aims at.
"""

from benchmarks.tuning.calls import bounded
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.shards.SHARD_BYTES",
    [1 << bits for bits in range(22, 29, 2)],
    bounded(".jsonl", "200MB"),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
