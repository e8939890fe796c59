"""What must hold of a lab's snapshots after whatever happened."""

from __future__ import annotations

from labctl.model.paths import LabPaths
from labctl.ops.reinstate import damage
from labctl.ops.snapshots import Snapshots


def assert_none_is_half(paths: LabPaths) -> None:
    """What passes for whole is: complete ones have all their files, byte for byte."""
    snapshots = Snapshots(paths)
    for manifest in snapshots.all():
        if manifest.complete:
            assert manifest.parts
            folder = snapshots.folder(manifest.name)
            assert [damage(folder, part) for part in manifest.parts] == [()] * len(manifest.parts)


def assert_all_are_whole(paths: LabPaths) -> tuple[str, ...]:
    """Nothing but whole snapshots is in the folder; their names."""
    assert_none_is_half(paths)
    snapshots = Snapshots(paths)
    assert all(manifest.complete for manifest in snapshots.all())
    names = snapshots.names()
    assert {path.name for path in paths.snapshots.glob("*/")} == set(names)
    assert not [*paths.snapshots.rglob("*.part")]
    return names
