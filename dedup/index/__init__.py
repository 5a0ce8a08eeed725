"""`dedup.Index`: texts on disk that can be asked whether a text was seen."""
