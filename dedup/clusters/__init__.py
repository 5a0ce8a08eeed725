"""Clusters: stars, exact copies, and the `keep` policies, which decide which text of a cluster is kept."""
