"""Guests that have just gone on from saved memory: their agents are not there at once."""

from __future__ import annotations

import time

from labctl.hypervisor.api import Hypervisor
from labctl.ops.context import Context

AGENT_SECONDS = 20.0
"""How long an agent's channel may look closed once its machine runs on."""
_POLL_SECONDS = 0.05


def await_agent(ctx: Context, hypervisor: Hypervisor, name: str) -> None:
    """Wait until libvirt sees a domain's agent: just after a restore its channel looks closed.

    Who asks it next finds out when it does not come.
    """
    end = time.monotonic() + AGENT_SECONDS
    while not hypervisor.agent_ready(name) and time.monotonic() < end:
        if ctx.interrupt.wait(_POLL_SECONDS):
            return
