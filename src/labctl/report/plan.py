"""A plan in words: what will be done to which node, and why."""

from __future__ import annotations

from labctl.plan.model import ActionKind, Plan
from labctl.report.paint import Cell, Paint, count, table

_STYLES = {
    ActionKind.CREATE: "good",
    ActionKind.CREATE_NETWORK: "good",
    ActionKind.REMOVE: "bad",
    ActionKind.REMOVE_NETWORK: "bad",
    ActionKind.REBUILD: "warn",
    ActionKind.RESTART: "warn",
    ActionKind.REPLACE_NETWORK: "warn",
}


def plan_lines(plan: Plan, paint: Paint) -> list[str]:
    """One line per action with its reason, then how many nodes stay as they are."""
    if plan.empty:
        nodes = count(len(plan.unchanged), "node")
        head = f"plan of {plan.lab}: nothing to do, {nodes} as the file wants"
        return [head, *_left_out(plan, paint)]
    rows: list[list[str | Cell]] = [
        [Cell(action.kind.value, _STYLES.get(action.kind, "")), action.node, action.reason]
        for action in plan.actions
    ]
    lines = [f"plan of {plan.lab}: {count(len(plan.actions), 'action')}"]
    lines += table(("do", "node", "because"), rows, paint, indent="  ")
    if plan.unchanged:
        lines.append(f"  untouched: {', '.join(plan.unchanged)}")
    return lines + _left_out(plan, paint)


def _left_out(plan: Plan, paint: Paint) -> list[str]:
    what = ", ".join(f"{action.node} {action.reason}" for action in plan.left_out)
    return [f"  {paint('warn', 'not asked for')}: {what}"] if what else []
