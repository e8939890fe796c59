"""labctl validate"""

from __future__ import annotations

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import home


def command(lab: options.Lab, as_json: options.Json = False) -> None:
    """Check the topology file alone: every error at once, with its line and what was meant."""
    from labctl.ops.load import load_lab
    from labctl.report.lab import lab_data, lab_lines

    result = load_lab(lab, home())
    show(lab_data(result), lambda paint: lab_lines(result, paint), as_json=as_json)
