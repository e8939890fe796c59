"""Carry out a plan, node by node, in two strokes.

`prepare` makes files and definitions (under the port lock: ports are taken once a domain that
names them is defined); `start` runs machines and waits until they are ready. Each step is
journaled, and each may be killed: the next run's plan starts from what it finds.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labctl.atomic import write_atomically
from labctl.errors import InternalError, Interrupted, LabctlError
from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.images.overlay import create_overlay
from labctl.model.desired import Desired
from labctl.model.identity import domain_name, network_name
from labctl.model.paths import Home, LabPaths
from labctl.model.platform import Platform
from labctl.ops.boot import wait_ready
from labctl.ops.context import Context
from labctl.ops.journal import Journal
from labctl.ops.secrets import with_secrets
from labctl.plan.model import FRESH, Action, ActionKind

_STOP_POLL_SECONDS = 0.2
_DEFINED = (*FRESH, ActionKind.RESTART)
PREPARED_KINDS = (*_DEFINED, ActionKind.REMOVE)
NETWORK_KINDS = (
    ActionKind.CREATE_NETWORK,
    ActionKind.REPLACE_NETWORK,
    ActionKind.REMOVE_NETWORK,
)


@dataclass(frozen=True, slots=True)
class Site:
    """What applying needs to know of the lab at hand. `golden` maps image name to its file."""

    home: Home
    hypervisor: Hypervisor
    paths: LabPaths
    desired: Desired
    platforms: Mapping[str, Platform]
    golden: Mapping[str, Path]


def apply_network(site: Site, journal: Journal, action: Action) -> None:
    """Create, replace or remove the lab's management network."""
    name = network_name(site.desired.lab)
    with journal.step(action.kind.value):
        if action.kind is not ActionKind.CREATE_NETWORK:
            site.hypervisor.remove_network(name)
        if action.kind is not ActionKind.REMOVE_NETWORK:
            site.hypervisor.define_network(site.desired.network_xml)


def prepare(site: Site, journal: Journal, action: Action) -> None:
    """Make the node's files and definition; nothing runs yet (a restart's machine runs on).

    A node that can't be created leaves neither files nor definition.
    """
    if action.kind is ActionKind.REMOVE:
        remove_node(site.hypervisor, site.paths, journal, site.desired.lab, action.node)
        return
    with journal.step(f"prepare ({action.kind.value})", action.node):
        try:
            if action.kind in FRESH:
                _make_fresh(site, action.node)
            site.hypervisor.define(site.desired.nodes[action.node].domain_xml)
        except BaseException:
            if action.kind in FRESH:
                _undo(site, action.node)
            raise


def remove_node(
    hypervisor: Hypervisor, paths: LabPaths, journal: Journal, lab: str, node: str
) -> None:
    """Remove a node whole: machine, definition, overlay, day-0, console log."""
    name = domain_name(lab, node)
    with journal.step("remove", node):
        hypervisor.destroy(name)
        hypervisor.undefine(name)
        shutil.rmtree(paths.node(node).folder, ignore_errors=True)


def start(ctx: Context, site: Site, journal: Journal, action: Action, *, paused: bool) -> None:
    """Get the node's machine running as planned; returns when it runs, not when it is ready."""
    name = domain_name(site.desired.lab, action.node)
    with journal.step(f"start ({action.kind.value})", action.node):
        if action.kind is ActionKind.RESUME:
            site.hypervisor.resume(name)
            return
        if action.kind is ActionKind.RESTART:
            platform = site.platforms[site.desired.nodes[action.node].intent.node.platform]
            stop(ctx, site.hypervisor, name, platform.stop_deadline)
        # A log of its own for every start: the boot watcher must not see an earlier boot.
        site.paths.node(action.node).console_log.unlink(missing_ok=True)
        site.hypervisor.start(name, paused=paused)
        site.paths.node(action.node).started.touch()


def await_ready(ctx: Context, site: Site, node: str, *, resumed: bool) -> None:
    """Wait until the node is ready; see `labctl.ops.boot.wait_ready`."""
    intent = site.desired.nodes[node].intent
    wait_ready(
        ctx,
        site.hypervisor,
        lab=site.desired.lab,
        intent=intent,
        log=site.paths.node(node).console_log,
        platform=site.platforms[intent.node.platform],
        resumed=resumed,
    )


def stop(ctx: Context, hypervisor: Hypervisor, name: str, deadline: float) -> str:
    """Stop a machine: power button, then after `deadline` seconds by force. Says which it was."""
    domain = hypervisor.domain(name)
    if domain is None or domain.state in (DomainState.SHUT_OFF, DomainState.CRASHED):
        return "was off"
    if domain.state is DomainState.RUNNING:
        # A guest that can't hear the button is forced off below.
        with contextlib.suppress(LabctlError):
            hypervisor.shutdown(name)
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if ctx.interrupt.wait(_STOP_POLL_SECONDS):
                raise Interrupted("left shutting down")
            domain = hypervisor.domain(name)
            if domain is None or domain.state is DomainState.SHUT_OFF:
                return "powered off"
    hypervisor.destroy(name)
    return "forced off"


def _make_fresh(site: Site, node: str) -> None:
    from labctl.render.day0 import iso_bytes  # jinja2: only where a medium is made

    desired = site.desired.nodes[node]
    files = site.paths.node(node)
    site.hypervisor.destroy(domain_name(site.desired.lab, node))
    files.folder.mkdir(parents=True, exist_ok=True)
    try:
        files.console_log.unlink(missing_ok=True)
        create_overlay(site.golden[desired.intent.node.image], files.overlay)
        write_atomically(files.day0, iso_bytes(with_secrets(desired.day0, site.home)), mode=0o600)
        files.warming.unlink(missing_ok=True)
    except OSError as error:
        raise InternalError(
            f"can't write the files of {node}: {error.strerror}",
            details=str(error.filename or files.folder),
            resolution="see whether the disk is full or read-only",
        ) from None


def _undo(site: Site, node: str) -> None:
    """Best effort: the error that led here is the one to report."""
    with contextlib.suppress(LabctlError):
        site.hypervisor.undefine(domain_name(site.desired.lab, node))
    shutil.rmtree(site.paths.node(node).folder, ignore_errors=True)
