from labctl.plan.model import Action, ActionKind, Plan
from labctl.report.paint import Paint
from labctl.report.plan import plan_lines


def test_an_empty_plan_says_so() -> None:
    plan = Plan("lab", (), ("a", "b"))
    assert plan_lines(plan, Paint()) == ["plan of lab: nothing to do, 2 nodes as the file wants"]


def test_what_was_not_asked_for_is_told_apart() -> None:
    plan = Plan("lab", (), ("a",), (Action(ActionKind.START, "b", "is shut off"),))
    assert plan_lines(plan, Paint()) == [
        "plan of lab: nothing to do, 1 node as the file wants",
        "  not asked for: b is shut off",
    ]


def test_every_action_has_its_reason() -> None:
    plan = Plan(
        "lab",
        (
            Action(ActionKind.CREATE_NETWORK, "", "management network missing"),
            Action(ActionKind.REBUILD, "leaf-1", "image changed"),
        ),
        ("leaf-2",),
    )
    assert plan_lines(plan, Paint()) == [
        "plan of lab: 2 actions",
        "  do              node    because",
        "  create network          management network missing",
        "  rebuild         leaf-1  image changed",
        "  untouched: leaf-2",
    ]
