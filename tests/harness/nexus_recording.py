"""Writes tests/fixtures/nxos/fabric: `PYTHONPATH=src:tests python -m harness.nexus_recording`."""

from __future__ import annotations

from pathlib import Path

from harness.intents import intent_of
from harness.simulated_nexus import NexusSimulation

FOLDER = Path(__file__).parents[1] / "fixtures" / "nxos" / "fabric"
TEXT_ONLY = ("leaf-2", "spine-2")
UNNAMED = "spine-1"
"""The node whose JSON is in files that don't say so in the command."""


def recording() -> dict[str, str]:
    """File name -> content."""
    intent = intent_of((FOLDER.parent / "topology.yaml").read_text())
    shapes = {text: NexusSimulation(intent, text=text).evidence().outputs for text in (False, True)}
    files = {}
    for node in intent.nodes:
        for (name, command), text in shapes[node in TEXT_ONLY].items():
            if name == node:
                suffix = "json" if command.endswith("_json") else "txt"
                stem = command.removesuffix("_json") if node == UNNAMED else command
                files[f"{node}__{stem}.{suffix}"] = text
    return files


def main() -> None:
    for old in FOLDER.glob("*__*"):
        old.unlink()
    for name, text in recording().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
