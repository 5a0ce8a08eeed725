"""A sample against all: how similar every text is to each of a few sampled texts.

Definition, in naive Python::

    for text in texts:
        for number, sampled in enumerate(sample):
            if sampled is not text:
                similarity = len(text & sampled) / len(text | sampled)
                histograms[number][int(similarity * bins)] += 1
                if similarity > best[number]:
                    best[number], partner[number] = similarity, text

The hashes of the sample are sorted, and a directory by their top bits leads to about one of them. The shared hashes
are counted from the lists of the samples that have each.

Cost: 3 ns a hash of a text, 1 ns for each sample that has the hash, and 1 ns for each text and sample.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernels import Table, Written, kernel


@kernel
def compare_sample(
    values: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    own: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    directory: npt.NDArray[np.int64],
    shift: int,
    bounds: npt.NDArray[np.int64],
    having: npt.NDArray[np.int64],
    sample_sizes: npt.NDArray[np.int64],
    histograms: Written[Table[np.int64]],
    best: Written[npt.NDArray[np.float64]],
    partner: Written[npt.NDArray[np.int64]],
) -> None:
    """Compare the sets of `rows` with each sample; ``own[i]`` is the sample that row i is, or -1.

    The samples with the hash ``keys[k]`` are ``having[bounds[k]:bounds[k + 1]]``. The keys with top bits t are
    ``keys[directory[t]:directory[t + 1]]``. Adds to `histograms` (samples, bins + 1); writes `best` and `partner`, the
    position in `rows`, where a row is more similar than ``best``.
    """
    bins = histograms.shape[1] - 1
    counts = np.zeros(len(sample_sizes), dtype=np.int64)
    for i in range(len(rows)):
        row = rows[i]
        for place in range(offsets[row], offsets[row] + sizes[row]):
            value = values[place]
            top = np.int64(value >> np.uint64(shift))
            for k in range(directory[top], directory[top + 1]):
                if keys[k] == value:
                    for p in range(bounds[k], bounds[k + 1]):
                        counts[having[p]] += 1
        for number in range(len(counts)):
            shared = counts[number]
            counts[number] = 0
            if number == own[i]:
                continue
            similarity = shared / (sizes[row] + sample_sizes[number] - shared)
            histograms[number, np.int64(similarity * bins)] += 1
            if similarity > best[number]:
                best[number] = similarity
                partner[number] = i
