"""`dedup.pipelines.memory.SHARDS`.

Which part of the bound a shard is.
"""

from benchmarks.tuning.calls import bounded
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pipelines.memory.SHARDS",
    [16, 32, 64, 128, 256],
    bounded(".jsonl", "200MB"),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
