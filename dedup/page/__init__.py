"""The page of evidence: what a result shows of itself, and the one file that a browser opens."""
