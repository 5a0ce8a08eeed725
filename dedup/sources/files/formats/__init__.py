"""A reader per format, and the detection of formats."""
