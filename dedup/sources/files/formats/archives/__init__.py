"""Archives of many pages in one file: WARC, as crawlers write it, and the dumps of wikis."""
