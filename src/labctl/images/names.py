"""Names of images: safe as a file's name, in YAML and in a shell."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_safe(name: str) -> bool:
    """Whether an image can be called that."""
    return _NAME.fullmatch(name) is not None
