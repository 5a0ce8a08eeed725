"""`dedup.pipelines.memory.SHARDS`.

Into how many parts the bound of memory is divided for a shard.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pipelines.memory.SHARDS",
    [16, 32, 64, 128, 256],
    reading(".jsonl", memory="400MB"),
    stages=(),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
