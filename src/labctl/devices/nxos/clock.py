"""The clock of a Nexus."""

from __future__ import annotations

import time


def clock_command(now: float) -> str:
    """What sets a Nexus's clock to `now` (seconds since 1970), typed in exec mode.

    Source: Cisco Nexus 9000 Series NX-OS Fundamentals Configuration Guide, "Manually Setting the
    Device Clock": `clock set 15:00:00 30 May 2008`. It takes the device's own time zone, which is
    UTC unless its configuration says otherwise.
    """
    return time.strftime("clock set %H:%M:%S %-d %B %Y", time.gmtime(now))
