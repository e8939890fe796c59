"""labctl cache: states of booted fabrics, kept so that `up` and `rebuild` need not boot them"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import home

if TYPE_CHECKING:
    from labctl.ops.warm_cache import WarmCache


def list_states(as_json: options.Json = False) -> None:
    """List the kept states: lab, nodes, size, when taken and when last of use."""
    from labctl.report.cache import cache_data, cache_lines

    kept = _cache()
    show(cache_data(kept), lambda paint: cache_lines(kept, paint), as_json=as_json)


def clear(as_json: options.Json = False) -> None:
    """Remove all kept states but those of labs that a run is at work on; labs run on."""
    from labctl.report.cache import cleared_lines

    won, busy = _cache().clear()
    show(
        {"bytes": won, "left_alone": list(busy)},
        lambda _: cleared_lines(won, busy),
        as_json=as_json,
    )


COMMANDS = {"list": list_states, "clear": clear}


def _cache() -> WarmCache:
    from labctl.ops.warm_cache import WarmCache

    return WarmCache(home())
