"""Which text of a cluster is kept: stars, and the policies of keep."""
