"""Which two texts reach the threshold: filters, joins, verification."""
