"""What `up` and `rebuild` did: nodes and consoles, what was proved, what to try next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labctl.model.finding import Severity
from labctl.model.lab import Link, Node, Role
from labctl.ops.results import Goal, UpResult
from labctl.report.json import to_data
from labctl.report.lab import roles
from labctl.report.lifecycle import failed_lines
from labctl.report.paint import Cell, Paint, clean, count, duration, table
from labctl.report.preflight import finding_lines
from labctl.report.verify import verify_lines

_HEADER = ("node", "role", "platform", "memory", "state", "console")
_SPEEDS = {"kvm": "KVM", "qemu": "software emulation, no KVM"}
_MOST_NODES = 40
"""Larger labs are not listed whole: `labctl status` does that."""


def up_data(result: UpResult) -> dict[str, Any]:
    """The result for JSON: the lab as its nodes, without the file's text."""
    return {
        "lab": result.lab.name,
        "uri": result.uri,
        "virt_type": result.virt_type,
        "seconds": round(result.seconds, 3),
        "nodes": [_node_data(node) for node in result.lab.nodes],
        "goal": result.goal.value,
        "recovered": list(result.recovered),
        "unready": list(result.unready),
        "preflight": to_data(result.preflight),
        "plan": to_data(result.plan),
        "outcomes": to_data(result.outcomes),
        "warm": to_data(result.warm),
        "notes": list(result.notes),
        "verify": to_data(result.verify),
    }


def _node_data(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "role": node.role.value,
        "platform": node.platform,
        "image": node.image,
        "memory": node.memory,
        "vcpus": node.vcpus,
    }


def up_lines(result: UpResult, paint: Paint, *, logins: Mapping[str, str], file: str) -> list[str]:
    """The summary. `logins` maps a platform to how one logs in on its console.

    `file` is what stands for the topology file in commands to try.
    """
    if result.plan.empty and not result.outcomes:
        return [*_recovered(result), *_nothing(result, paint)]
    lines = [*_recovered(result), *_warnings(result, paint), *_headline(result, paint)]
    lines += [*_warm(result), "", *_nodes(result, paint), *_not_asked_for(result, paint)]
    for outcome in result.failed:
        lines += ["", *failed_lines(outcome, paint)]
    if result.verify is not None:
        lines += ["", *verify_lines(result.verify, paint)]
    return [*lines, "", *_next(result, paint, logins, file)]


def _recovered(result: UpResult) -> list[str]:
    return [f"put right after an earlier run: {clean(what)}" for what in result.recovered]


def _nothing(result: UpResult, paint: Paint) -> list[str]:
    name = result.lab.name
    nodes = count(len(result.plan.unchanged), "node")
    line = (
        f"{name}: {paint('good', 'nothing to do')}, {nodes} as the file wants "
        f"(looked in {duration(result.seconds)})"
    )
    if rest := _not_asked_for(result, paint):
        return [line, *rest]
    return [f"{line}; `labctl verify {name}` checks the fabric"]


def _not_asked_for(result: UpResult, paint: Paint) -> list[str]:
    """What is missing for the whole lab to be as the file wants, and how to get it."""
    rest = _rest(result)
    if not rest:
        return []
    what = ", ".join(f"{node} {state}" for node, state in rest.items())
    return [f"  {paint('warn', 'not asked for')}: {what}; `labctl up {result.lab.name}` does all"]


def _rest(result: UpResult) -> dict[str, str]:
    """Nodes that were not asked for and are not as they should be: their states."""
    rest = dict.fromkeys(result.unready, "is not ready")
    return rest | {action.node: action.reason for action in result.plan.left_out}


def _warnings(result: UpResult, paint: Paint) -> list[str]:
    found = [f for f in result.preflight.findings if f.severity is Severity.WARN]
    return finding_lines(found, paint)


def _headline(result: UpResult, paint: Paint) -> list[str]:
    if failed := len(result.failed):
        state = paint("bad", f"{failed} of {count(len(result.outcomes), 'node')} failed")
    elif result.verify is not None and result.verify.healthy is False:
        state = paint("bad", "runs, but the fabric is unhealthy,")
    elif result.goal is not Goal.READY:
        state = paint("warn", f"is {result.goal.value}, not ready,")
    elif result.unready:
        state = paint("warn", "runs in part")
    else:
        state = paint("good", "is up")
    speed = _SPEEDS.get(result.virt_type, result.virt_type)
    where = f"on {result.uri} ({speed})"
    lab = f"{paint('bold', result.lab.name)} ({roles(result.lab)})"
    return [f"{lab} {state} {where} after {duration(result.seconds)}"]


def _warm(result: UpResult) -> list[str]:
    """What was restored instead of booted, and what else there is to tell of kept states."""
    lines = [clean(note) for note in result.notes]
    if start := result.warm:
        many = len(start.nodes) == len(result.lab.nodes)
        who = "all nodes" if many else ", ".join(start.nodes)
        lines.insert(
            0,
            f"warm: {who} restored from the state of {start.created}, {duration(start.seconds)}",
        )
    return [f"  {line}" for line in lines]


def _nodes(result: UpResult, paint: Paint) -> list[str]:
    lab = result.lab
    if len(lab.nodes) > _MOST_NODES:
        return [f"  {count(len(lab.nodes), 'node')}: `labctl status {lab.name}` lists them"]
    states = _states(result)
    rows: list[list[str | Cell]] = []
    for node in lab.nodes:
        state = states.get(node.name, Cell("as it was", "dim"))
        console = f"labctl console {lab.name} {node.name}"
        memory = f"{node.memory} MiB"
        rows.append([node.name, node.role.value, node.platform, memory, state, console])
    return table(_HEADER, rows, paint, indent="  ")


def _states(result: UpResult) -> dict[str, Cell]:
    """What became of the nodes that are not simply as they were."""
    states = {node: Cell(state, "warn") for node, state in _rest(result).items()}
    for outcome in result.outcomes:
        if outcome.error is not None:
            states[outcome.node] = Cell("failed", "bad")
        elif result.goal is Goal.READY:
            states[outcome.node] = Cell(f"ready after {duration(outcome.seconds)}", "good")
        else:
            states[outcome.node] = Cell(result.goal.value, "warn")
    return states


def _next(result: UpResult, paint: Paint, logins: Mapping[str, str], file: str) -> list[str]:
    tries = _tries(result, file)
    width = max(len(words) for words, _ in tries)
    lines = [paint("bold", "what to try next")]
    lines += [f"  {words.ljust(width)}  {what}" for words, what in tries]
    used = dict.fromkeys(node.platform for node in result.lab.nodes)
    hints = [f"  log in ({name}): {logins[name]}" for name in used if logins.get(name)]
    return [*lines, *hints]


def _tries(result: UpResult, file: str) -> list[tuple[str, str]]:
    """Commands for a newcomer, with names of this lab in them."""
    name = result.lab.name
    ends = [
        (f"labctl plan {file}", "after a change to the file: what `up` would touch"),
        (f"labctl down {name}", "stop it, keep the disks"),
        (f"labctl destroy {name}", "remove it whole"),
    ]
    match result.goal:
        case Goal.PAUSED:
            return [(f"labctl up {name}", "let it run on, and wait until it is ready"), *ends]
        case Goal.STARTED:
            return [(f"labctl up {name}", "wait until it is ready"), *ends]
        case Goal.READY:
            return [*_explorations(result), *ends]


def _explorations(result: UpResult) -> list[tuple[str, str]]:
    """What to do in a lab, with those of its nodes that run."""
    lab, name, rest = result.lab, result.lab.name, _rest(result)
    nodes = [node for node in lab.nodes if node.name not in rest] or lab.nodes
    switch = next((node.name for node in nodes if node.role.is_vtep), "")
    host = next((node.name for node in nodes if node.role is Role.HOST), "")
    first = switch or nodes[0].name
    tries = [(f"labctl console {name} {first}", "its serial console; Ctrl-] leaves")]
    if switch:
        what = "show bgp l2vpn evpn summary"
        tries.append((f"labctl exec {name} -n {switch} {what}", "ask a switch"))
    if host:
        tries.append((f"labctl exec {name} -n {host} ip route", "ask a host"))
    cable = next((link.end(first) for link in lab.links if _touches(link, first)), None)
    if cable is not None:
        tries.append((f"labctl link {name} {cable} down", "pull a cable ..."))
    return [*tries, (f"labctl verify {name}", "... and see what it breaks, and why")]


def _touches(link: Link, node: str) -> bool:
    return node in (link.a.node, link.b.node)
