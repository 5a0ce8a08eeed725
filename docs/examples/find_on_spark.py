"""Remove near duplicates from Parquet files on a cluster: ``spark-submit find_on_spark.py INPUT OUTPUT [WORK]``.

INPUT has the columns id and text. The rows that are kept are written to OUTPUT. WORK is a folder from which the job is
taken up, if it was interrupted.
"""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession

import dedup.spark


def run(spark: SparkSession, source: str, target: str, work: str | None = None) -> None:
    """Find duplicates among the texts of `source`, and write the other rows to `target`."""
    df = spark.read.parquet(source)
    found = dedup.spark.find_duplicates(df, column="text", id="id", threshold=0.8, work=work)
    print(found.summary)
    found.filter(df).write.parquet(target)


if __name__ == "__main__":
    session = SparkSession.builder.appName("dedup").getOrCreate()
    run(session, *sys.argv[1:])
    session.stop()
