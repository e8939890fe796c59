"""AS numbers, and the set that is told by what it lacks."""

from __future__ import annotations

from collections.abc import Set

from hypothesis import given
from hypothesis import strategies as st

from labctl.fabric.asns import assign
from labctl.fabric.sets import AllBut
from labctl.model.lab import Fabric, Lab, Management, Node, Requirements, Role, Routing


def lab_of(asn: int, *nodes: tuple[Role, int, int | None]) -> Lab:
    made = tuple(
        Node(f"{role}-{index}", role, index, "frr", "frr", 256, 1, asn=own)
        for role, index, own in nodes
    )
    fabric = Fabric(routing=Routing.EBGP, asn=asn)
    return Lab("x", made, (), fabric, Management(), Requirements(), "f", "")


def numbers(asn: int, *nodes: tuple[Role, int, int | None]) -> list[int]:
    return list(assign(lab_of(asn, *nodes)).values())


SPINE, LEAF, BORDER = Role.SPINE, Role.LEAF, Role.BORDER


def test_the_numbers_of_the_reference() -> None:
    found = numbers(65000, (SPINE, 1, None), (SPINE, 2, None), (LEAF, 1, None), (BORDER, 1, None))
    assert found == [65100, 65100, 65011, 65001]


def test_leaf_numbers_step_over_the_spines() -> None:
    assert numbers(65000, (LEAF, 89, None), (LEAF, 90, None)) == [65099, 65101]


def test_what_does_not_fit_comes_from_the_4_byte_range() -> None:
    found = numbers(65500, (SPINE, 1, None), (LEAF, 24, None), (LEAF, 25, None), (BORDER, 11, None))
    assert found == [4200000000, 65534, 4201000025, 4202000011]


def test_automatic_numbers_step_aside() -> None:
    found = numbers(65000, (SPINE, 1, None), (LEAF, 1, 65100), (LEAF, 2, 65013), (LEAF, 3, None))
    assert found == [4200000000, 65100, 65013, 4201000003]


@given(
    st.integers(1, 4294967294),
    st.sets(st.tuples(st.sampled_from([SPINE, LEAF, BORDER]), st.integers(1, 3000))),
)
def test_leaves_and_borders_differ_from_all(asn: int, members: set[tuple[Role, int]]) -> None:
    lab = lab_of(asn, *((role, index, None) for role, index in members))
    found = assign(lab)
    spines = {found[node.name] for node in lab.nodes if node.role is SPINE}
    others = [found[node.name] for node in lab.nodes if node.role is not SPINE]
    assert len(spines) <= 1
    assert len(others) == len(set(others))
    assert spines.isdisjoint(others)
    assert all(1 <= number <= 4294967294 for number in found.values())


@given(st.frozensets(st.integers(0, 9)), st.integers(0, 9), st.frozensets(st.integers(0, 9)))
def test_all_but_is_a_set(members: frozenset[int], missing: int, other: frozenset[int]) -> None:
    lacking: Set[int] = AllBut(members, missing)
    plain: Set[int] = members - {missing}
    assert lacking == plain
    assert plain == lacking
    assert len(lacking) == len(plain)
    assert sorted(lacking) == sorted(plain)
    assert [n for n in range(10) if n in lacking] == sorted(plain)
    assert lacking - other == plain - other
    assert other - lacking == other - plain
    assert lacking & other == plain & other
    assert lacking | other == plain | other
    assert (lacking <= other) == (plain <= other)
    assert hash(lacking) == hash(AllBut(members - {missing}, -1))
