"""`python -m labctl`: the same as the `labctl` program."""

from labctl.cli.main import run

run()
