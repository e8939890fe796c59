"""Whose fault is it, when things between pairs of nodes fail: the fewest nodes in all of them."""

from __future__ import annotations

from collections.abc import Iterable

Pair = frozenset[str]


def culprits(
    failing: Iterable[Pair], working: Iterable[Pair]
) -> list[tuple[tuple[str, ...], list[Pair]]]:
    """Split the failing pairs into groups, each with the nodes to blame for it.

    A node for which nothing works and more fails than for any other is blamed alone. Where
    nothing tells the two ends of a pair apart, both are named.
    """
    left = set(failing)
    alive = frozenset[str]().union(*working)
    groups: list[tuple[tuple[str, ...], list[Pair]]] = []
    while left:
        dead = frozenset[str]().union(*left) - alive
        weight = {node: sum(node in pair for pair in left) for node in dead}
        best = [node for node in sorted(dead) if weight[node] == max(weight.values())]
        if len(best) == 1:
            group = [pair for pair in left if best[0] in pair]
            groups.append(((best[0],), _ordered(group)))
        else:
            group = [min(left, key=sorted)]
            groups.append((tuple(sorted(group[0])), group))
        left.difference_update(group)
    return groups


def _ordered(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=sorted)
