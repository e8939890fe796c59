"""Are the golden images whole, and the disks that stand on them already?

Findings of these alone make exit code 5, others 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labctl.model.finding import Finding, Severity
from labctl.preflight.facts import Facts, ImageFact


def check_images(facts: Facts) -> Iterable[Finding]:
    """Images present and whole; of one that isn't, all nodes that stand on it."""
    for name, image in facts.images.items():
        if image.problems:
            nodes = tuple(n for n, node in facts.intent.nodes.items() if node.node.image == name)
            yield Finding(
                "image",
                Severity.REFUSE,
                f"{name}: {'; '.join((*image.problems, *_standing(facts, nodes, image)))}",
                image.resolution,
                nodes=nodes,
                evidence={"other_labs": list(image.others)},
            )
        else:
            yield Finding("image", Severity.OK, f"{name} is in the store and whole")


def _standing(facts: Facts, nodes: tuple[str, ...], image: ImageFact) -> Iterator[str]:
    there = [node for node in nodes if node in facts.made]
    if there:
        told = [f"{n} (running, left alone)" if facts.running(n) else n for n in there]
        yield f"nodes on it: {', '.join(told)}"
    if image.others:
        yield f"of other labs: {', '.join(image.others)}"


def check_disks(facts: Facts) -> Iterable[Finding]:
    """Disks that nodes keep. A machine that runs is left alone; one that is off stays off."""
    for node, problems in facts.disks.items():
        running = facts.running(node)
        told = "it runs and is left alone, but can't be started again" if running else ""
        yield Finding(
            "image of a disk",
            Severity.WARN if running else Severity.REFUSE,
            "; ".join(filter(None, (f"{node}: {'; '.join(problems)}", told))),
            f"make the node anew: `labctl rebuild {facts.lab_name} --node {node}`; what was "
            f"changed on its disk is lost with it, so save first what you need",
            nodes=(node,),
        )
