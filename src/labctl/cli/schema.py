"""labctl schema"""

from __future__ import annotations

from labctl.cli.output import print_lines


def command() -> None:
    """Print the JSON Schema of the topology file, for editors and CI."""
    from labctl.report.json import dump
    from labctl.topology.schema import json_schema

    print_lines([dump(json_schema())])
