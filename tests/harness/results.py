"""What operations on a small lab give back, for tests of the CLI."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.model.lab import (
    Endpoint,
    Fabric,
    Lab,
    Link,
    Management,
    Node,
    Requirements,
    Role,
)
from labctl.ops.results import (
    Belongings,
    NodeOutcome,
    UpResult,
)
from labctl.plan.model import Action, ActionKind, Plan
from labctl.verify.model import Cause, CauseKind, Check, CheckKind, Status, make_report

LAB = Lab(
    name="pair",
    nodes=(
        Node("leaf-1", Role.LEAF, 1, "frr", "frr", 256, 1),
        Node("host-1", Role.HOST, 1, "linux", "frr", 128, 1),
    ),
    links=(Link(Endpoint("host-1", "eth1"), Endpoint("leaf-1", "eth1")),),
    fabric=Fabric(),
    management=Management(),
    requirements=Requirements(),
    source="pair.yaml",
    text="lab: pair",
)
PREFLIGHT = PreflightReport(
    "pair",
    "qemu:///system",
    "qemu",
    (Finding("kvm", Severity.WARN, "guests hang under KVM"), Finding("disk", Severity.OK, "fine")),
)
CHECK = Check(
    "vteps-10010-leaf-1",
    CheckKind.VTEP_SET,
    "leaf-1",
    "VNI 10010",
    Status.PASS,
    "10.0.1.12",
    "10.0.1.12",
)
HEALTHY = make_report("pair", (CHECK,), (), ())
BROKEN = make_report(
    "pair",
    (replace(CHECK, status=Status.FAIL, seen="none"),),
    (
        Cause(
            CauseKind.RT_MISMATCH,
            ("leaf-1",),
            "leaf-1 imports 65000:10011",
            "set route-target import 65000:10010",
            (CHECK.id,),
        ),
    ),
    (),
)
UP = UpResult(
    lab=LAB,
    uri="qemu:///system",
    virt_type="qemu",
    plan=Plan("pair", (Action(ActionKind.CREATE, "leaf-1", "missing"),), ("host-1",)),
    preflight=PREFLIGHT,
    outcomes=(NodeOutcome("leaf-1", "boot", 12.0, "ready"),),
    verify=HEALTHY,
    seconds=33.0,
)
OWNED = Belongings("pair", ("pair.leaf-1",), ("labctl-pair",), Path("/h/labs/pair"))
Replace = Callable[[str, Any], list[Any]]
"""Replace an operation (`up.up`) by one that returns, or raises, a value; gives its calls."""
