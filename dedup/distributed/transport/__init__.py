"""What travels between stages: named arrays in rows, blocks of units, and the keys of units."""
