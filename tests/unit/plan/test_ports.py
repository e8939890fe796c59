"""The port table: nobody shares a port, nobody's port moves without need."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import PreflightRefused
from labctl.model.lab import Endpoint, Link
from labctl.plan.ports import EPHEMERAL, FIRST_PORT, LAST_PORT, allocate


def link(number: int) -> Link:
    return Link(Endpoint(f"leaf-{number}", "eth1"), Endpoint(f"spine-{number}", "eth1"))


LINKS = [link(number) for number in range(40)]
NUMBERS = st.lists(st.integers(0, 39), unique=True)
PORTS = st.integers(FIRST_PORT, LAST_PORT)


@given(
    NUMBERS,
    st.dictionaries(st.sampled_from([end for a in LINKS for end in (a.a, a.b)]), PORTS),
    st.sets(PORTS),
)
def test_no_port_twice_and_none_of_others(
    numbers: list[int], existing: Mapping[Endpoint, int], taken: set[int]
) -> None:
    wanted = [LINKS[number] for number in numbers]
    ports = allocate(wanted, lab="a", existing=existing, taken=taken)
    assert set(ports) == {end for one in wanted for end in (one.a, one.b)}
    assert len(set(ports.values())) == len(ports)
    assert not taken & set(ports.values())
    assert all(FIRST_PORT <= port <= LAST_PORT for port in ports.values())


@given(NUMBERS, NUMBERS)
def test_links_that_exist_keep_their_ports(before: list[int], after: list[int]) -> None:
    had = allocate([LINKS[n] for n in before], lab="a", existing={}, taken=set())
    now = allocate([LINKS[n] for n in after], lab="a", existing=had, taken=set())
    assert {end: now[end] for end in now.keys() & had.keys()} == {
        end: had[end] for end in now.keys() & had.keys()
    }


@given(st.permutations(LINKS[:10]))
def test_order_of_links_is_irrelevant(shuffled: list[Link]) -> None:
    assert allocate(shuffled, lab="a", existing={}, taken=set()) == allocate(
        LINKS[:10], lab="a", existing={}, taken=set()
    )


def test_port_taken_by_another_lab_is_given_up() -> None:
    had = allocate(LINKS, lab="a", existing={}, taken=set())
    stolen = had[LINKS[0].a]
    now = allocate(LINKS, lab="a", existing=had, taken={stolen})
    assert now[LINKS[0].a] != stolen
    assert {end for end in had if had[end] != now[end]} == {LINKS[0].a}


def test_two_ends_that_claim_one_port_are_parted() -> None:
    both = {LINKS[0].a: 20000, LINKS[0].b: 20000}
    ports = allocate(LINKS[:1], lab="a", existing=both, taken=set())
    assert sorted(ports.values()).count(20000) == 1
    assert len(set(ports.values())) == 2


def test_labs_differ() -> None:
    assert allocate(LINKS, lab="a", existing={}, taken=set()) != allocate(
        LINKS, lab="b", existing={}, taken=set()
    )


def test_ephemeral_ports_are_taken_last() -> None:
    low = set(range(FIRST_PORT, EPHEMERAL - 3))
    ports = sorted(allocate(LINKS[:3], lab="a", existing={}, taken=low).values())
    assert ports[:3] == [EPHEMERAL - 3, EPHEMERAL - 2, EPHEMERAL - 1]
    assert all(port >= EPHEMERAL for port in ports[3:])


def test_range_is_used_to_the_last_port() -> None:
    ports = allocate(LINKS, lab="a", existing={}, taken={20003}, first=20000, last=20080)
    assert sorted(ports.values()) == [port for port in range(20000, 20081) if port != 20003]


def test_full_range_is_refused() -> None:
    with pytest.raises(PreflightRefused) as caught:
        allocate(LINKS, lab="a", existing={}, taken={20003}, first=20000, last=20079)
    assert caught.value.details == "80 needed, 79 of 20000-20079 are free on this hypervisor"


def test_scale() -> None:
    """16 spines x 984 leaves: more ports than there are below the ephemeral range."""
    links = [
        Link(Endpoint(f"leaf-{leaf}", f"eth{spine}"), Endpoint(f"spine-{spine}", f"eth{leaf}"))
        for spine in range(16)
        for leaf in range(984)
    ]
    ports = allocate(links, lab="a", existing={}, taken=set())
    assert len(set(ports.values())) == 31488
    assert sum(port < EPHEMERAL for port in ports.values()) == EPHEMERAL - FIRST_PORT
