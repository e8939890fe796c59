"""The site's secrets: made once, kept in a file of their own that nobody else can read.

HOME/secrets/nxos-admin     the password of user `admin` on every Nexus of the site

Whoever wants another password writes it there, before the labs are made.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import string
import tempfile
from collections.abc import Mapping
from pathlib import Path

from labctl.atomic import PART
from labctl.errors import UsageError
from labctl.model.desired import Day0
from labctl.model.paths import Home
from labctl.model.secret import ADMIN_PASSWORD

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 20
_FIT = re.compile(r"[A-Za-z0-9._+=:@%/-]{8,64}")
"""What a Nexus takes on its command line as it is, without `?` (help), quotes, blanks; 8 or more
(its own rule: "Length should be at least 8 characters")."""


def admin_password(home: Home) -> str:
    """The password of `admin` on this site's Nexus switches, made at the first call.

    Raises UsageError when its file is readable by others or holds no fit password.
    """
    path = home.admin_password
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise UsageError(
            f"{path} can be read by others than its owner",
            resolution=f"`chmod 600 {path}`, and think of who may have read it",
        )
    password = path.read_text(encoding="utf-8", errors="replace").strip()
    if not _FIT.fullmatch(password):
        raise UsageError(
            f"{path} holds no password that a Nexus takes",
            details="8 to 64 of letters, digits and . _ + = : @ % / -",
            resolution="write another one there, or remove the file to have one made",
        )
    return password


def with_secrets(day0: Day0, home: Home) -> Day0:
    """The day-0 files as a device needs them: secrets in the place of their words."""
    if not any(ADMIN_PASSWORD in text for text in day0.files.values()):
        return day0
    password = admin_password(home)
    files: Mapping[str, str] = {
        name: text.replace(ADMIN_PASSWORD, password) for name, text in day0.files.items()
    }
    return day0._replace(files=files)


def _make(path: Path) -> None:
    """A random password with letters of both cases and digits, as strict password rules want."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        kinds = (str.islower, str.isupper, str.isdigit)
        if all(any(map(kind, password)) for kind in kinds):
            break
    # Whoever is first has made it; a run beside this one reads the same.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=PART) as file:
        file.write(f"{password}\n")
        file.flush()
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
