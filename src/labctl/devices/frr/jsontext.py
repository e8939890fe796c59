"""FRR's JSON as it really comes: several documents, empty lines, vtysh's own complaints."""

from __future__ import annotations

import json
import re
from typing import Any

from labctl.devices.facts import DaemonDown, ParseError
from labctl.devices.frr.daemons import is_silent
from labctl.devices.values import TEXT_LIMIT

_NOT_RUNNING = re.compile(r"^(\w+) is not running\b|failed to connect to any daemons", re.MULTILINE)
_DECODER = json.JSONDecoder()


def refuse_dead_daemon(text: str) -> None:
    """Raise DaemonDown when vtysh says, or shows, that the daemon asked does not run."""
    if is_silent(text):
        raise DaemonDown(text.strip())
    match = _NOT_RUNNING.search(text)
    if match is not None:
        raise DaemonDown(f"{match[1]} is not running" if match[1] else "FRR is not running")


def json_object(text: str) -> dict[str, Any]:
    """The object in `text`; several after one another are merged, nothing is `{}`, and the
    members of a list (`show evpn vni detail json`) are keyed by their place.

    `show evpn vni json` prints an empty line on a node without VNIs, and `show bgp l2vpn evpn
    vni N json` prints `{}` twice for an unknown one. Raises ParseError for anything else.
    """
    refuse_dead_daemon(text)
    merged: dict[str, Any] = {}
    rest = text.strip()
    while rest:
        try:
            parsed, end = _DECODER.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"not JSON ({error}): {rest[:TEXT_LIMIT]!r}") from None
        if isinstance(parsed, list):
            parsed = {str(number): member for number, member in enumerate(parsed)}
        if not isinstance(parsed, dict):
            raise ParseError(f"no JSON object: {rest[:TEXT_LIMIT]!r}")
        merged.update(parsed)
        rest = rest[end:].lstrip()
    return merged
