"""From characters to tokens: Unicode, normalisation, paragraphs and lines."""
