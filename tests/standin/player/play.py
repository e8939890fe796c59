"""One power-on: loader, kernel, configuration, logins."""

from __future__ import annotations

import time
from functools import partial

from standin.player import eem, faults, firstboot, loader
from standin.player.control import Control
from standin.player.machine import Machine
from standin.player.shell import Shell
from standin.player.store import Store
from standin.player.switch import Switch
from standin.player.terminal import Terminal


def power_on(terminal: Terminal, machine: Machine) -> None:
    """Play until the machine is reset (Reset) or the line is gone (HungUp)."""
    store = Store(machine.folder)
    switch = Switch(terminal, machine, store, boot=store.count_boot())
    asked = "\n".join((machine.day0() or "", store.startup() or "", store.faults))
    try:
        switch.faults = faults.in_force(asked, switch.boot)
    except ValueError as error:
        terminal.line(f"stand-in: {error}")
    loader.load(switch)
    loader.kernel(switch)
    firstboot.configure(switch)
    control = Control(switch)
    configured = partial(eem.configured, switch, control)
    configured()
    while True:
        terminal.line("\n\nUser Access Verification")
        switch.booted = switch.booted or time.monotonic()
        firstboot.log_in(switch)
        Shell(switch, control, configured).run()
