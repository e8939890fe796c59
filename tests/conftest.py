"""Fixtures live in tests/harness; this only has pytest load them."""

pytest_plugins = ["harness.fake", "harness.libvirtd", "harness.backends"]
