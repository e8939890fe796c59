"""The starter file loads, whatever was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.errors import UsageError
from labctl.model.lab import LinkAddressing, Role, Routing
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms
from labctl.topology.starter import starter

PLATFORMS = load_platforms()


@settings(deadline=None, max_examples=60)
@given(
    spines=st.integers(1, 40),
    leaves=st.integers(1, 120) | st.integers(300, 900),
    borders=st.integers(0, 12),
    hosts_per_leaf=st.integers(0, 3),
    image=st.none() | st.just("frr-12"),
    routing=st.sampled_from(Routing),
    links=st.sampled_from(LinkAddressing),
)
def test_it_loads(
    spines: int,
    leaves: int,
    borders: int,
    hosts_per_leaf: int,
    image: str | None,
    routing: Routing,
    links: LinkAddressing,
) -> None:
    text = starter(
        name="mine",
        spines=spines,
        leaves=leaves,
        borders=borders,
        hosts_per_leaf=hosts_per_leaf,
        platform="frr",
        image=image,
        routing=routing,
        links=links,
    )
    lab = load(text, source="f", platforms=PLATFORMS)
    counts = {role: sum(node.role is role for node in lab.nodes) for role in Role}
    assert counts == {
        Role.SPINE: spines,
        Role.LEAF: leaves,
        Role.BORDER: borders,
        Role.HOST: leaves * hosts_per_leaf,
    }
    assert (lab.name, lab.fabric.routing, lab.fabric.links) == ("mine", routing, links)
    assert lab.nodes[0].image == (image or PLATFORMS["frr"].default_image)
    assert all(not line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize(
    "counts", [{"spines": 0}, {"leaves": 0}, {"borders": -1}, {"leaves": 4000, "hosts_per_leaf": 2}]
)
def test_counts_that_make_no_fabric_are_refused(counts: dict[str, int]) -> None:
    asked = {"spines": 1, "leaves": 1, "borders": 0, "hosts_per_leaf": 0, **counts}
    with pytest.raises(UsageError):
        starter(
            name="mine",
            platform="frr",
            image=None,
            routing=Routing.OSPF,
            links=LinkAddressing.UNNUMBERED,
            **asked,
        )
