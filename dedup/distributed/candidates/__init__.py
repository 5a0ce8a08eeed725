"""Stages that find which pairs of units may reach the threshold, from the hashes of all."""
