"""Play a Nexus on this process's terminal: in the guest, or with --desk on a pseudo-terminal."""

from __future__ import annotations

import argparse
import os
import socket
import tty
from pathlib import Path

from standin.player.machine import Desk, Guest, Machine, Reset
from standin.player.play import power_on
from standin.player.terminal import HungUp, Terminal


def main() -> None:
    """From power-on to power-on, until the line is gone."""
    parser = argparse.ArgumentParser(prog="standin.player", description=__doc__)
    parser.add_argument("--desk", type=Path, metavar="DIR", help="play without a machine: its disk")
    parser.add_argument("--number", type=int, default=1, help="of several at one desk")
    parser.add_argument(
        "--wire", action="append", default=[], metavar="CARD=FD", help="a socket that is its cable"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="stretches all silences")
    options = parser.parse_args()
    descriptor = os.open(os.ttyname(0), os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    wires = dict(_wire(text) for text in options.wire)
    machine: Machine = Desk(options.desk, options.number, wires) if options.desk else Guest()
    while True:
        try:
            power_on(Terminal(descriptor, options.scale), machine)
        except Reset:
            continue
        except HungUp:
            return


def _wire(text: str) -> tuple[int, socket.socket]:
    card, descriptor = text.split("=")
    return int(card), socket.socket(fileno=int(descriptor))


if __name__ == "__main__":
    main()
