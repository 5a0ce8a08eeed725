"""How the tuned constants of the package were chosen: a script for each prints its curve."""
