"""Texts in any form, as blocks of UTF-8: strings, Arrow, tables, files."""
