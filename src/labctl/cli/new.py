"""labctl new"""

from __future__ import annotations

from typing import Annotated

import typer

from labctl.cli.output import print_lines
from labctl.errors import UsageError
from labctl.model.identity import is_safe_name
from labctl.model.lab import LinkAddressing, Routing


def command(
    name: Annotated[str, typer.Option(metavar="NAME", help="The lab's name.")] = "my-lab",
    spines: Annotated[int, typer.Option(min=1, metavar="N", help="Spines.")] = 2,
    leaves: Annotated[int, typer.Option(min=1, metavar="N", help="Leaves.")] = 2,
    borders: Annotated[int, typer.Option(min=0, metavar="N", help="Border leaves.")] = 0,
    hosts_per_leaf: Annotated[int, typer.Option(min=0, metavar="N", help="Hosts on each.")] = 1,
    platform: Annotated[
        str, typer.Option(metavar="NAME", help="Device family of the switches.")
    ] = "frr",
    image: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Image of the switches. [default: platform's]"),
    ] = None,
    routing: Annotated[Routing, typer.Option(help="Routing protocol of the underlay.")] = (
        Routing.OSPF
    ),
    links: Annotated[
        LinkAddressing, typer.Option(help="Fabric links with or without addresses.")
    ] = LinkAddressing.UNNUMBERED,
) -> None:
    """Print a commented topology file to start from: `labctl new > lab.yaml`."""
    from labctl.topology.starter import starter

    _check(name, platform, routing, links)
    text = starter(
        name=name,
        spines=spines,
        leaves=leaves,
        borders=borders,
        hosts_per_leaf=hosts_per_leaf,
        platform=platform,
        image=image,
        routing=routing,
        links=links,
    )
    print_lines(text.splitlines())


def _check(name: str, platform: str, routing: Routing, links: LinkAddressing) -> None:
    """Refuse what would make a file that `validate` refuses, in words that fit the options."""
    from labctl.topology.platforms import load_platforms

    if not is_safe_name(name):
        raise UsageError(
            f"{name!r} can't be a lab's name",
            resolution="use lower-case letters, digits and dashes, 32 at most",
        )
    if platform not in (known := load_platforms()):
        raise UsageError(f"there is no platform {platform!r}", details="known: " + ", ".join(known))
    unnumbered = links is LinkAddressing.UNNUMBERED
    if known[platform].device == "nxos" and routing is Routing.EBGP and unnumbered:
        raise UsageError(
            "a Nexus can't do eBGP on unnumbered links", resolution="add --links numbered"
        )
