"""Pull the running configurations, cleaned, into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from labctl.atomic import write_atomically
from labctl.devices.nxos.session import commands
from labctl.devices.registry import agent_device_for, device_for
from labctl.errors import LabctlError, UsageError
from labctl.model.platform import Platform
from labctl.model.saved import as_whole
from labctl.ops.context import Context
from labctl.ops.converse import converse
from labctl.ops.results import SaveResult
from labctl.ops.runner import run_nodes
from labctl.ops.target import Target, existing, need_running

_WIDTH = 8
_DEADLINE = 60.0


def save(ctx: Context, ref: str, folder: Path, *, nodes: Sequence[str] = ()) -> SaveResult:
    """Write NODE.cfg for every node whose platform has a configuration of its own.

    A node that can't be asked leaves its earlier file as it was and is an outcome with an error.
    """
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", resolution="give a folder to write into")
    with existing(ctx, ref, nodes) as target:
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        savable = [node for node in target.domains if _command(platforms, target, node)]

        def task(node: str) -> None:
            need_running(target.lab, node, target.domains[node])
            text = _pull(ctx, platforms, target, node)
            with _writing(folder):
                write_atomically(folder / f"{node}.cfg", as_whole(node, text).encode())

        outcomes = run_nodes(ctx, "save", savable, task, width=_WIDTH)
    files = tuple(folder / f"{o.node}.cfg" for o in outcomes if o.error is None)
    skipped = tuple(node for node in target.domains if node not in savable)
    return SaveResult(target.lab, folder, files, skipped, outcomes)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"can't write to {folder}: {error.strerror}",
            resolution="name a folder that can be written to",
        ) from None


def _command(platforms: Mapping[str, Platform], target: Target, node: str) -> str:
    mark = target.domains[node].metadata
    platform = platforms.get(mark.platform) if mark else None
    return device_for(platform.device).config_command if platform else ""


def _pull(ctx: Context, platforms: Mapping[str, Platform], target: Target, node: str) -> str:
    domain = target.domains[node]
    assert domain.metadata is not None  # target.domains holds marked domains only
    platform = platforms[domain.metadata.platform]
    if platform.automation == "console":
        return _pull_over_console(ctx, target, platform, node)
    family = agent_device_for(platforms[domain.metadata.platform].device)
    command = family.config_command
    argv = family.argv(command)
    done = target.hypervisor.run_in_guest(domain.name, argv, deadline=_DEADLINE)
    if done.returncode:
        raise LabctlError(
            f"{node} would not show its configuration",
            details=f"`{command}` ended with {done.returncode}: {done.stderr or done.stdout}",
        )
    return family.clean_config(done.stdout)


def _pull_over_console(ctx: Context, target: Target, platform: Platform, node: str) -> str:
    family = device_for(platform.device)
    session = commands(platform, host=node, lines=[family.config_command])
    (output,) = converse(
        ctx, target.hypervisor, session, lab=target.lab, node=node, deadline=_DEADLINE
    )
    if output.errors:
        raise LabctlError(
            f"{node} would not show its configuration", details="\n".join(output.errors)
        )
    return family.clean_config(output.text)
