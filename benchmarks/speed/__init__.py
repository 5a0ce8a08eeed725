"""How fast a search is, and what it takes, beside other tools."""
