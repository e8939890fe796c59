"""Addresses: the places of the reference, unique, and still when nodes are added."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import HypervisorError
from labctl.fabric.addresses import (
    MANAGEMENT_POOL,
    Wanted,
    assign,
    fitting_prefix,
    host_address,
    link_addresses,
    link_place,
    management_subnet,
    overlapping,
    place,
)
from labctl.model.lab import Node, Role

POOL = IPv4Network("10.0.0.0/24")


def wanted(role: Role, index: int, explicit: str | None = None) -> Wanted:
    node = Node(f"{role}-{index}", role, index, "frr", "frr", 256, 1)
    return Wanted(node, IPv4Address(explicit) if explicit else None)


def shown(*wants: Wanted) -> dict[str, str]:
    return {name: str(address) for name, address in assign(wants, POOL).items()}


def test_the_places_of_the_reference() -> None:
    assert shown(wanted(Role.SPINE, 1), wanted(Role.LEAF, 1), wanted(Role.BORDER, 1)) == {
        "spine-1": "10.0.0.1",
        "leaf-1": "10.0.0.11",
        "border-1": "10.0.0.254",
    }


def test_whose_place_is_taken_moves_to_the_place_left() -> None:
    assert shown(
        wanted(Role.SPINE, 1, "10.0.0.11"),
        wanted(Role.LEAF, 1),
        wanted(Role.LEAF, 2),
    ) == {"spine-1": "10.0.0.11", "leaf-1": "10.0.0.1", "leaf-2": "10.0.0.12"}


def test_a_chain_of_taken_places_ends_at_the_one_left() -> None:
    assert shown(
        wanted(Role.LEAF, 1),
        wanted(Role.LEAF, 2, "10.0.0.11"),
        wanted(Role.LEAF, 3, "10.0.0.12"),
    ) == {"leaf-1": "10.0.0.13", "leaf-2": "10.0.0.11", "leaf-3": "10.0.0.12"}


@given(
    st.integers(20, 30),
    st.sets(st.tuples(st.sampled_from([Role.SPINE, Role.LEAF, Role.BORDER]), st.integers(1, 40))),
)
def test_places_differ_or_the_pool_is_called_too_small(
    prefix: int, members: set[tuple[Role, int]]
) -> None:
    pool = IPv4Network(("10.0.0.0", prefix))
    wants = [wanted(role, index) for role, index in members]
    given_out = assign(wants, pool)
    hosts = range(1, pool.num_addresses - 1)
    assert all(a is None or int(a) - int(pool[0]) in hosts for a in given_out.values())
    fits = None not in given_out.values() and len(set(given_out.values())) == len(wants)
    fitting = fitting_prefix(wants, pool)
    assert fits is (fitting == prefix)
    if fitting is not None:
        larger = assign(wants, IPv4Network(("10.0.0.0", fitting)))
        assert None not in larger.values()
        assert len(set(larger.values())) == len(wants)


def test_what_no_pool_can_hold_is_told_apart() -> None:
    assert place(Role.SPINE, 11, 256) is None
    assert fitting_prefix([wanted(Role.LEAF, 2**25)], POOL) is None


MEMBERS = st.sets(st.integers(1, 200), min_size=1, max_size=20)


@given(MEMBERS, st.integers(1, 200), st.dictionaries(st.integers(1, 200), st.integers(1, 200)))
def test_adding_a_leaf_moves_nobody(leaves: set[int], new: int, explicit: dict[int, int]) -> None:
    """Some leaves have addresses given, each different; the new one has none."""
    given_addresses = {leaf: f"10.0.0.{n}" for leaf, n in explicit.items() if leaf != new}
    by_address = {address: leaf for leaf, address in given_addresses.items() if leaf in leaves}

    def wants(indexes: set[int]) -> list[Wanted]:
        return [
            wanted(Role.LEAF, i, given_addresses.get(i))
            for i in sorted(indexes)
            if i not in given_addresses or by_address.get(given_addresses[i]) == i
        ]

    before = assign(wants(leaves - {new}), POOL)
    after = assign(wants(leaves | {new}), POOL)
    assert {name: after[name] for name in before} == dict(before)
    assert len(set(after.values())) == len(after)


@given(st.integers(16, 30), st.data())
def test_every_link_has_its_own_31(prefix: int, data: st.DataObject) -> None:
    pool = IPv4Network(("10.8.0.0", prefix))
    ends = data.draw(
        st.sets(
            st.tuples(
                st.integers(1, 40),
                st.sampled_from([Role.LEAF, Role.BORDER]),
                st.integers(1, 10),
            ),
            max_size=30,
        )
    )
    used: dict[IPv4Address, tuple[int, Role, int]] = {}
    for spine, role, index in ends:
        number = link_place(spine, role, index, prefix)
        if number is None:
            continue
        one, other = link_addresses(pool, number)
        assert one.network == other.network
        assert one.network.subnet_of(pool)
        for address in (one.ip, other.ip):
            first = used.setdefault(address, (spine, role, index))
            # Leaves are counted from one end and borders from the other: they may meet.
            assert first == (spine, role, index) or (first[0] == spine and first[1] is not role)


def test_a_16_serves_32_spines_and_1024_leaves() -> None:
    assert link_place(32, Role.LEAF, 1024, 16) == 32 * 1024 - 1
    assert link_place(33, Role.LEAF, 1, 16) is None
    assert link_place(1, Role.LEAF, 1025, 16) is None
    assert link_place(1, Role.LEAF, 1, 32) is None


@pytest.mark.parametrize(
    ("gateway", "index", "expected"),
    [
        ("10.10.10.1/24", 1, "10.10.10.11/24"),
        ("10.10.10.1/24", 244, "10.10.10.254/24"),
        ("10.10.10.1/24", 245, None),
        ("10.10.10.11/24", 1, "10.10.10.10/24"),
        ("10.10.10.1/29", 1, "10.10.10.3/29"),
        ("10.10.10.1/30", 1, "10.10.10.2/30"),
        ("10.10.10.2/30", 1, "10.10.10.1/30"),
        ("10.10.10.1/30", 2, None),
    ],
)
def test_hosts_take_their_number_in_the_subnet(
    gateway: str, index: int, expected: str | None
) -> None:
    found = host_address(IPv4Interface(gateway), index)
    assert found == (IPv4Interface(expected) if expected else None)


@given(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), st.integers(1, 8192))
def test_the_management_subnet_follows_from_the_name(name: str, count: int) -> None:
    subnet = management_subnet(name, count, [])
    assert subnet == management_subnet(name, count, [])
    assert subnet.subnet_of(MANAGEMENT_POOL)
    assert subnet.num_addresses >= 4 * count + 3
    other = management_subnet(name, count, [subnet]) if subnet.prefixlen > 17 else None
    assert other is None or not other.overlaps(subnet)


def test_no_management_subnet_is_left_at_last() -> None:
    with pytest.raises(HypervisorError, match=r"no management subnet of /24 is free"):
        management_subnet("x", 4, [MANAGEMENT_POOL])


def test_overlapping_subnets_are_paired_with_the_wide_one_before_them() -> None:
    named = {"a": "10.0.0.0/8", "b": "10.1.0.0/16", "c": "10.200.0.0/24", "d": "11.0.0.0/8"}
    pools = [(name, IPv4Network(text)) for name, text in named.items()]
    assert [(one, other) for one, _, other, _ in overlapping(pools)] == [("b", "a"), ("c", "a")]
