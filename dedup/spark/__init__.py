"""The exact search on Apache Spark: the answer of one machine, for more texts than one machine can hold.

>>> import dedup.spark                                                          # doctest: +SKIP
>>> found = dedup.spark.find_duplicates(df, column="text", id="id")             # doctest: +SKIP
>>> found.filter(df).write.parquet("kept")                                      # doctest: +SKIP
>>> dedup.spark.find(spark, ["corpus"], output="report")                        # doctest: +SKIP

Needs the extra ``spark`` (``pip install 'pyspark>=4.1,<5' 'pandas>=2.2,<3'``) on the driver and on every worker, and
Java 17 or later. The stages are those of `dedup.distributed`. This package runs them by ``mapInArrow`` and
``repartitionById``, with Spark Connect too.
"""

from __future__ import annotations

from dedup.spark.duplicates import SparkDuplicates
from dedup.spark.find_frame import find_duplicates
from dedup.spark.find_paths import find
from dedup.spark.match_frames import match
from dedup.spark.matches import SparkMatches

__all__ = ["SparkDuplicates", "SparkMatches", "find", "find_duplicates", "match"]
