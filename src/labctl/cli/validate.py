"""labctl validate"""

from __future__ import annotations

from labctl.cli import options, quick


def command(lab: options.Lab, as_json: options.Json = False) -> None:
    """Check the topology file alone: every error at once, with its line and what was meant."""
    quick.validate(lab, as_json=as_json)
