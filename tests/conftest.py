"""How long Hypothesis looks, and where the real data are.

``DEDUP_HYPOTHESIS=long`` runs 10,000 examples a law instead of 50. ``DEDUP_DATA`` names the folder
of the real data, without which the tests that need it are skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A kernel is compiled within some example, and corpora are large examples: no fault of a test.
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, suppress_health_check=QUIET)
settings.register_profile("long", deadline=None, max_examples=10_000, suppress_health_check=QUIET)
settings.load_profile(os.environ.get("DEDUP_HYPOTHESIS", "ci"))


@pytest.fixture(scope="session")
def data() -> Path:
    """Give the folder of the real data, or skip the test."""
    folder = os.environ.get("DEDUP_DATA")
    if not folder:
        pytest.skip("DEDUP_DATA is not set")
    return Path(folder)
