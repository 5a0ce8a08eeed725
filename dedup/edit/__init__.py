"""Which texts are few edits apart? The exact join of ``metric="edit"``."""
