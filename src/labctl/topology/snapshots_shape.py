"""The topology file's shape, the part about snapshots; see `labctl.topology.schema`."""

from __future__ import annotations

from labctl.topology.fields import AGE, SIZE, SNAPSHOT_NAME
from labctl.topology.kinds import ListOf
from labctl.topology.scalars import between
from labctl.topology.shape import Shape, optional


class SnapshotsShape(Shape):
    """Which snapshots are kept. Applied after `labctl snapshot create` and by `labctl snapshot
    prune`. Never pruned: the youngest, the one the lab stands on, those of `protect`."""

    keep_last = optional(
        between(1, 10_000),
        "Keep this many of the youngest. With keep_last or keep_daily, what neither keeps is "
        "pruned; without both, only the limits below prune.",
    )
    keep_daily = optional(
        between(1, 3660), "Keep the youngest of each of this many last days that have any (UTC)."
    )
    max_age = optional(AGE, "A limit: older ones are pruned, even those kept by the keys above.")
    max_size = optional(
        SIZE, "A limit for all of them together: the oldest are pruned until the rest fits."
    )
    protect = optional(
        ListOf(SNAPSHOT_NAME), "Names that are never pruned, and deleted with --force only."
    )
