"""Locality-sensitive hashing: which pairs are candidates.

A signature is cut into b bands of r rows (lanes). Two texts are a *candidate* if they agree in all rows of some band;
for similarity s that happens with probability::

    P(s) = 1 - (1 - s ** r) ** b

an S-shaped curve. The usual choice has its steepest point at the threshold, and so misses half of the pairs there. Here
the similarity of every candidate is computed afterwards: a false candidate costs a microsecond, but a missed pair is
lost. So `choose_bands` considers only curves that are at least `recall` *at the threshold*, and takes the cheapest.

>>> print(choose_bands(0.8))
14 bands of 4 rows: 56 permutations
similarity  found
      0.10   0.1 %
      0.20   2.2 %
      0.30  10.8 %
      0.40  30.4 %
      0.50  59.5 %
      0.60  85.7 %
      0.70  97.9 %
      0.80  99.9 %  <- threshold, 99.9 % promised
      0.90 100.0 %
      1.00 100.0 %
"""

from __future__ import annotations

from dedup.lsh.bands import Bands, band_keys, choose_bands, measure_recall
from dedup.lsh.buckets import LSH, Buckets, find_buckets

__all__ = ["LSH", "Bands", "Buckets", "band_keys", "choose_bands", "find_buckets", "measure_recall"]
