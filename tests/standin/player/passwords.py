"""Passwords as the configuration keeps them. The form is NX-OS's type 5, the hash is our own."""

from __future__ import annotations

import hashlib
import hmac
import re

_SALT = "standin"
SIMPLE = re.compile(r"[a-z]*|[A-Z]*|[0-9]*|(.)\1*")
LEAST = 8


def hidden(password: str) -> str:
    """What stands behind `password 5` in the running configuration."""
    return f"$5${_SALT}${hashlib.sha256(f'{_SALT}{password}'.encode()).hexdigest()}"


def matches(stored: str, typed: str) -> bool:
    """Whether the password is the one that was hidden."""
    return hmac.compare_digest(stored, hidden(typed))


def weakness(password: str) -> str | None:
    """Why the secure password standard refuses it; None if it does not."""
    if len(password) < LEAST:
        return f"Length should be at least {LEAST} characters"
    if SIMPLE.fullmatch(password):
        return "Password should contain characters from at least two classes"
    return None


def conceal(line: str) -> str:
    """A `username` line as the running configuration has it, its password hidden."""
    match = re.match(r"(username \S+ password )(?:0 )?(?!5 )(\S+)(.*)", line)
    return f"{match[1]}5 {hidden(match[2])}{match[3]}" if match else line


def stored(lines: list[str], user: str) -> str | None:
    """The hidden password of a user; None if there is no such user, "" if it has none."""
    own = [line for line in lines if line.startswith(f"username {user} ")]
    found = [
        match[1] for line in own if (match := re.match(r"username \S+ password 5 (\S+)", line))
    ]
    return found[-1] if found else ("" if own else None)
