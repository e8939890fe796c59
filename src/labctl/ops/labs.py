"""Which labs there are, what to say of one that isn't there, and the order of their nodes.

Little is imported here: `labctl status` must start fast.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from labctl.errors import UsageError
from labctl.model.role import Role

if TYPE_CHECKING:
    from labctl.hypervisor.observed import ObservedDomain
    from labctl.model.paths import Home

_DIGITS = "0123456789"
_ROLES = [role.value for role in Role]


def labs_of(domains: Iterable[ObservedDomain], home: Home) -> tuple[str, ...]:
    """The names of all labs with a domain on the hypervisor or a folder here."""
    marked = {domain.metadata.lab for domain in domains if domain.metadata is not None}
    return tuple(sorted(marked | {folder.name for folder in home.labs.glob("*/")}))


def no_such_lab(brief: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a lab's name that is none of `known`."""
    import difflib  # only where something is wrong

    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return UsageError(
        brief,
        details="labs here: " + (", ".join(names) or "none"),
        resolution=hint + "give a topology file, or the name of a lab that is up",
    )


def other_home(domains: Iterable[ObservedDomain], home: Home) -> str:
    """The folder of another labctl that marked domains' disks are in; "" where that is `home`."""
    for domain in domains:
        assert domain.metadata is not None  # given marked domains only
        ours = home.lab(domain.metadata.lab).node(domain.metadata.node).overlay
        if str(ours) in domain.disks:
            return ""
        below = f"/{ours.relative_to(home.folder)}"
        for disk in domain.disks:
            folder = Path(disk.removesuffix(below))
            if disk.endswith(below) and folder.resolve() != home.folder.resolve():
                return str(folder)
    return ""


def of_another_home(lab: str, elsewhere: str, home: Home, command: str) -> UsageError:
    """The error for a lab that `elsewhere` has; `command` is what to run there."""
    import shlex  # only where something is wrong

    there = f"LABCTL_HOME={shlex.quote(elsewhere)} labctl {command}"
    return UsageError(
        f"lab {lab} belongs to another LABCTL_HOME, {elsewhere}",
        details=f"this one is {home.folder}",
        resolution=f"use the one it was made with: `{there}`",
    )


def rank(domain: ObservedDomain) -> tuple[int, str, int, str]:
    """Sorts spines first, then leaves, borders, hosts; leaf-10 after leaf-2."""
    mark = domain.metadata
    role = _ROLES.index(mark.role) if mark and mark.role in _ROLES else len(_ROLES)
    name = mark.node if mark else domain.name
    stem = name.rstrip(_DIGITS)
    return role, stem, int(name.removeprefix(stem) or 0), name
