"""What an index has of each document: its row, its set, its id, its text, and whether it was removed."""
