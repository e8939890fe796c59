"""The clocks of guests that went on from saved memory: they show when it was saved.

Put right as well as each family allows; a guest whose clock resists runs on with it, said so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from labctl.devices.nxos.clock import clock_command
from labctl.devices.nxos.session import commands
from labctl.errors import LabctlError
from labctl.hypervisor.api import Hypervisor
from labctl.model.identity import domain_name
from labctl.model.platform import Platform
from labctl.ops.awakening import await_agent
from labctl.ops.context import Context
from labctl.ops.converse import converse
from labctl.ops.events import Notice

_WIDTH = 8
_DEADLINE = 60.0
"""Seconds for one guest; under TCG its agent takes some to wake up."""


def set_clocks(
    ctx: Context, hypervisor: Hypervisor, lab: str, platform_of: Mapping[str, Platform]
) -> tuple[str, ...]:
    """Set the clocks of these running nodes to the host's; tells of each that could not be set.

    Gives back their names, raises nothing.
    """

    def resists(node: str) -> bool:
        try:
            _set(ctx, hypervisor, lab, node, platform_of[node])
        except LabctlError as error:
            ctx.emit(Notice(f"its clock is late: {error.brief}", node))
            return True
        return False

    with ThreadPoolExecutor(_WIDTH) as pool:
        late = dict(zip(platform_of, pool.map(resists, platform_of), strict=True))
    return tuple(node for node, is_late in late.items() if is_late)


def _set(ctx: Context, hypervisor: Hypervisor, lab: str, node: str, platform: Platform) -> None:
    if platform.automation == "console":
        command = clock_command(time.time())
        session = commands(platform, host=node, lines=[command])
        (output,) = converse(ctx, hypervisor, session, lab=lab, node=node, deadline=_DEADLINE)
        refused = "; ".join(output.errors)
    else:
        name = domain_name(lab, node)
        await_agent(ctx, hypervisor, name)
        argv = ("date", "-u", "-s", f"@{round(time.time())}")
        done = hypervisor.run_in_guest(name, argv, deadline=_DEADLINE)
        refused = done.stderr.strip() or f"exit {done.returncode}" if done.returncode else ""
    if refused:
        raise LabctlError(f"it refused the time: {refused}")
