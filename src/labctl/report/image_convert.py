"""A converted image, and what ESXi needs for it, in words."""

from __future__ import annotations

from labctl.model.esxi import EsxiNeeds
from labctl.ops.image_convert import Converted
from labctl.report.paint import Paint, size


def converted_lines(done: Converted, paint: Paint) -> list[str]:
    """The file, and a machine's settings for it."""
    form = " ".join(filter(None, (done.subformat, done.format)))
    lines = [
        paint("bold", str(done.file)),
        f"  format    {form}, {size(done.size)}",
        f"  content   {done.content}, as the image's",
    ]
    return lines if done.esxi is None else [*lines, "", *_esxi_lines(done.esxi)]


def _esxi_lines(needs: EsxiNeeds) -> list[str]:
    facts = {
        "memory": f"{_gib(needs.memory)}, at least {_gib(needs.memory_floor)}; reserve all of it",
        "vCPUs": str(needs.vcpus),
        "firmware": needs.firmware,
        "disk": needs.disk,
        "NICs": needs.nics,
        "serial": f"{needs.serial_ports} port: the console is there, not on the screen",
        "hardware": f"version {needs.hardware_version} or later (ESXi 5.5)",
        "disk file": needs.how,
    }
    return ["  on ESXi a machine needs:", *(f"    {key:<9}  {text}" for key, text in facts.items())]


def _gib(mebibytes: int) -> str:
    return f"{mebibytes / 1024:g} GiB"
