"""Sizes and ages with units, as files write them."""

from __future__ import annotations

import re

SIZE_PATTERN = r"[0-9]{1,9}(\.[0-9]{1,3})? ?(MiB|GiB)"
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(MiB|GiB)")
_UNITS = {"MiB": 1, "GiB": 1024}
AGE_PATTERN = r"[0-9]{1,5} ?(minute|hour|day|week)s?"
_AGE = re.compile(r"([0-9]{1,5}) ?(minute|hour|day|week)s?")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def parse_size(value: object) -> int:
    """'512 MiB' or '1.5 GiB' -> whole MiB. ValueError says what is wrong."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no size: write a number and a unit, MiB or GiB: 512 MiB")
    size = float(found[1]) * _UNITS[found[2]]
    if size != int(size) or size == 0:
        raise ValueError(f"{value!r} is no whole number of MiB above zero")
    return int(size)


def parse_age(value: object) -> int:
    """'7 days' or '12 hours' -> seconds. ValueError says what is wrong."""
    found = _AGE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        units = "minutes, hours, days or weeks"
        raise ValueError(f"{value!r} is no age: write a number of {units}: 7 days")
    return int(found[1]) * _SECONDS[found[2]]
