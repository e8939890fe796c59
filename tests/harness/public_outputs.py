"""Outputs of NX-OS that others have published: tests/fixtures/nxos/README.md."""

from __future__ import annotations

from pathlib import Path

PUBLIC = Path(__file__).parents[1] / "fixtures" / "nxos" / "public"


def said(name: str) -> str:
    return (PUBLIC / f"{name}.txt").read_text()
