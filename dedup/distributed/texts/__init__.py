"""Stages that read the texts again: for what is told of some units, and to cut units out."""
