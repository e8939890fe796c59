"""Which module speaks to which `Platform.device`."""

from __future__ import annotations

from labctl.devices.agent import AgentDevice
from labctl.devices.api import Device
from labctl.errors import InternalError


def device_for(name: str) -> Device:
    """The device family of that name; InternalError when labctl has none."""
    if name == "nxos":
        from labctl.devices.nxos.device import Nxos

        return Nxos()
    return agent_device_for(name)


def agent_device_for(name: str) -> AgentDevice:
    """The device family of that name; InternalError when labctl has none with a guest agent."""
    if name == "frr":
        from labctl.devices.frr.device import Frr

        return Frr()
    if name == "linux":
        from labctl.devices.linux.device import Linux

        return Linux()
    raise InternalError(
        f"no device family {name!r} that has a guest agent",
        resolution="frr and linux have one, nxos exists without; mend the platform file",
    )
