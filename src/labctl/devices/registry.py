"""Which module speaks to which `Platform.device`."""

from __future__ import annotations

from labctl.devices.api import Device
from labctl.errors import InternalError


def device_for(name: str) -> Device:
    """The device family of that name; InternalError when labctl has none."""
    if name == "frr":
        from labctl.devices.frr.device import Frr

        return Frr()
    if name == "linux":
        from labctl.devices.linux.device import Linux

        return Linux()
    raise InternalError(
        f"no device family {name!r}", resolution="frr and linux exist; mend the platform file"
    )
