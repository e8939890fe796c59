"""A store, and a disk to put into it."""

from pathlib import Path

import pytest

from harness.given import partitioned
from labctl.images.store import ImageStore


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return partitioned(tmp_path / "disk.raw")
