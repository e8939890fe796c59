"""From power-on to NX-OS's own dialogue: boot loader and kernel.

Lines and their order: Cisco's transcripts in tests/fixtures/nxos-console; those of a 9000v alone
from the project's facts (a field log).
"""

from __future__ import annotations

from standin.player.switch import IMAGE, Switch, image_named
from standin.player.terminal import Interrupted

_BANNER = "\n\n\n\n                Loader Version 5.00.9\n"
_HELP = "\n".join(("?       Print the command list", "boot    Boot image", "dir     List files",
                   "help    Print the command list", "reboot  Reboot the system"))  # fmt: skip
_NO_DEVICE = "Number of devices detected by BIOS is 1"


def load(switch: Switch) -> None:
    """Find the image and start it; at `loader >` where nothing names one."""
    terminal = switch.terminal
    terminal.pause(0.5)
    terminal.line(_BANNER)
    saved = switch.store.startup()
    # A fresh disk boots its only image; from then on the boot variable must say so.
    named = IMAGE if switch.boot == 1 and saved is None else image_named((saved or "").splitlines())
    if "loader-loop" in switch.faults or named != IMAGE:
        terminal.line("Entering interactive mode\n")
        _prompt(switch)
    terminal.line(f"Booting bootflash:/{IMAGE} ...")
    terminal.pause(0.5)
    terminal.line("Image valid\n\n")


def _prompt(switch: Switch) -> None:
    """Until an image is booted."""
    while True:
        try:
            words = switch.terminal.ask("loader > ").split()
        except Interrupted:
            continue
        if words[:1] == ["boot"] and _boot(switch, words[1:]):
            return
        if words[:1] == ["dir"]:
            switch.terminal.line(f"Setting listing for bootflash:\n{_NO_DEVICE}")
            switch.terminal.line(f" .rpmstore\n {IMAGE}\n scripts\n{_NO_DEVICE}\n")
        elif words[:1] in (["help"], ["?"]):
            switch.terminal.line(_HELP)
        elif words[:1] == ["reboot"]:
            switch.machine.reset()
        elif words and words[0] != "boot":
            switch.terminal.line("Error 27: Unrecognized command\n")


def _boot(switch: Switch, words: list[str]) -> bool:
    """`boot bootflash:<image>` or `boot <image>`; `boot nxos ...` is the running system's."""
    if not words:
        switch.terminal.line("usage: boot <image>\n")
        return False
    if len(words) > 1:
        switch.terminal.line("Boot failed\nError 9: Unknown boot failure\n")
        return False
    if words[0].removeprefix("bootflash:").lstrip("/") != IMAGE:
        switch.terminal.line("Boot failed\nError 15: File not found\n")
        return False
    if "loader-loop" in switch.faults:
        switch.terminal.pause(1)
        switch.terminal.line("Boot failed\nError 13: Invalid or unsupported executable format\n")
        return False
    return True


def kernel(switch: Switch) -> None:
    """Up to where NX-OS looks for a configuration; some faults end here for ever."""
    say, pause = switch.terminal.line, switch.terminal.pause
    say("INIT: version 2.88 booting")
    say("Installing CCTRL driver for card_type 29 on a VM without NEED_GEM")
    pause(0.5)
    say("Sysconf checksum failed. Using default values")
    say("WARNING: No BIOS Info found")
    if "panic" in switch.faults:
        say("[   21.318441] Kernel panic - not syncing: Fatal exception in interrupt")
        hang(switch)
    say("Bad Partition bootflash size 4G too small < min 8G")
    if "inode-corruption-hang" in switch.faults:
        say("EXT4-fs error (device sda4): Corrupt metadata in inode 131106")
        hang(switch)
    pause(1)
    say("Loading system software")
    if "silence" in switch.faults:
        hang(switch)
    pause(2)
    say("INIT: Entering runlevel: 3")
    pause(2)
    if "memory-cap" in switch.faults:
        say(switch.note("Memory limit 3.8GB detected. Limiting routing table to 4k routes"))
    say("Done with Nexus 9000v initial VNIC deposit into vnicBank")
    say(switch.syslog("netstack: Registration with cli server complete"))


def hang(switch: Switch) -> None:
    """Nothing more, whatever is typed, until somebody resets the machine."""
    while True:
        switch.terminal.read_key()
