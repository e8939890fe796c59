"""Intents out of topology text, by the real parser and the real fabric."""

from __future__ import annotations

from labctl.fabric.intent import build
from labctl.model.intent import Intent
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()


def intent_of(text: str) -> Intent:
    lab = load(text, source="test.yaml", platforms=PLATFORMS)
    return build(lab, PLATFORMS, management_subnet=None)


def fabric_of(
    spines: int = 2,
    leaves: int = 2,
    *,
    borders: int = 0,
    routing: str = "ospf",
    links: str = "unnumbered",
    platform: str = "frr",
    vpc: bool = False,
    replication: str = "ingress",
    hosts: int = 1,
    extra: str = "",
) -> Intent:
    return intent_of(
        fabric_text(
            spines,
            leaves,
            borders=borders,
            routing=routing,
            links=links,
            platform=platform,
            vpc=vpc,
            replication=replication,
            hosts=hosts,
            extra=extra,
        )
    )


def fabric_text(
    spines: int = 2,
    leaves: int = 2,
    *,
    borders: int = 0,
    routing: str = "ospf",
    links: str = "unnumbered",
    platform: str = "frr",
    vpc: bool = False,
    replication: str = "ingress",
    hosts: int = 1,
    extra: str = "",
) -> str:
    return f"""
lab: simulated
platform: {platform}
fabric:
  spines: {spines}
  leaves: {leaves}
  borders: {borders}
  hosts_per_leaf: {hosts}
  vpc: {str(vpc).lower()}
  overlay: {{replication: {replication}}}
  underlay: {{routing: {routing}, links: {links}}}
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {{name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}}
        - {{name: db, vlan: 20, vni: 10020, gateway: 10.10.20.1/24}}
{extra}"""
