"""Fixtures live in tests/harness; this only has pytest load them, and knows the suite's options."""

from __future__ import annotations

import pytest
from hypothesis import settings

# No test may depend on how fast the machine happens to be.
settings.register_profile("labctl", deadline=None)
settings.load_profile("labctl")

pytest_plugins = [
    "harness.fake",
    "harness.libvirtd",
    "harness.backends",
    "harness.site",
    "harness.archives",
    "harness.warm",
    "harness.moved_on",
    "harness.nexus_site",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate", action="store_true", help="write tests/golden anew instead of comparing"
    )


@pytest.fixture(autouse=True)
def agents_that_are_not_there(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guests that are no guests have no agent unless a test gives them one: nobody waits for it."""
    if "integration" not in request.path.parts:
        monkeypatch.setattr("labctl.ops.awakening.AGENT_SECONDS", 0.0)
