"""The data of the user after a search: recognised, and cut down to what is kept."""
