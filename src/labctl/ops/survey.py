"""From a lab and a hypervisor to a plan: read what is there, check it, render, compare.

Changes nothing. What is read once here (domains, networks, host facts) serves all that follows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from labctl.errors import ImageError, PreflightRefused
from labctl.fabric.intent import build
from labctl.hypervisor.api import HostFacts, Hypervisor, ObservedDomain, ObservedNetwork
from labctl.images.store import ImageStore
from labctl.model.desired import Desired
from labctl.model.finding import PreflightReport
from labctl.model.image import Image
from labctl.model.intent import Intent
from labctl.model.lab import Endpoint, Lab
from labctl.model.paths import NodePaths
from labctl.model.platform import Platform
from labctl.model.site import ImageRef, Site
from labctl.ops.admission import preflight
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.management import management_mode, subnet_for
from labctl.plan.diff import Observed, diff
from labctl.plan.model import Plan
from labctl.plan.ports import allocate
from labctl.preflight.local import firmware, udp_ports


@dataclass(frozen=True, slots=True)
class Survey:
    """All that a run knows before it touches anything. `desired` is None when refused."""

    lab: Lab
    platforms: Mapping[str, Platform]
    host: HostFacts
    intent: Intent
    report: PreflightReport
    images: Mapping[str, Image]
    observed: Observed
    desired: Desired | None

    def plan(
        self, *, only: Collection[str] = (), rebuild: Collection[str] = (), paused: bool = False
    ) -> Plan:
        """The plan. Raises PreflightRefused (or ImageError) when the host can't carry the lab."""
        if self.desired is None or self.report.refused:
            raise refusal(self.report)
        return diff(self.desired, self.observed, only=only, rebuild=rebuild, paused=paused)


def survey(ctx: Context, hypervisor: Hypervisor, lab: Lab, *, anew: Collection[str] = ()) -> Survey:
    """Read, check and render; see Survey. `anew` are nodes whose disks will be replaced."""
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    host = hypervisor.host()
    domains = hypervisor.domains()
    networks = hypervisor.networks()
    mode = management_mode(lab, host)
    intent = build(lab, platforms, management_subnet=subnet_for(lab, mode, networks))
    ports = _ports(lab, domains, host)
    store = ImageStore(ctx.home.images)
    images = _images(lab, store)
    report = preflight(
        hypervisor,
        ctx.home,
        intent=intent,
        platforms=platforms,
        store=store,
        ports=ports,
        host=host,
        domains=domains,
        networks=networks,
        emit=ctx.emit,
        anew=anew,
    )
    desired = None
    if not report.refused:
        found = firmware(platforms.values()) if host.is_local else {}
        site = Site(
            virt_type=report.virt_type,
            emulator="",
            home=ctx.home,
            management=mode,
            firmware={name: image for name, image in found.items() if image is not None},
        )
        refs = {name: ImageRef(image.path, image.sha256) for name, image in images.items()}
        desired = _render(intent, platforms, site, ports, refs)
    observed = _observed(ctx, lab, domains, networks)
    return Survey(lab, platforms, host, intent, report, images, observed, desired)


def refusal(report: PreflightReport) -> PreflightRefused | ImageError:
    """The error for a refused report: exit 5 when only images are at fault, else exit 4."""
    lines = [f"{f.check}: {f.message}" for f in report.refusals]
    brief = f"{report.lab} can't be brought up on {report.uri}: {lines[0]}"
    resolutions = "\n".join(dict.fromkeys(f.resolution for f in report.refusals if f.resolution))
    details = "\n".join(lines)
    if all(f.check.startswith("image") for f in report.refusals):
        return ImageError(brief, details=details, resolution=resolutions)
    return PreflightRefused(brief, details=details, resolution=resolutions, report=report)


def _render(
    intent: Intent,
    platforms: Mapping[str, Platform],
    site: Site,
    ports: Mapping[Endpoint, int],
    refs: Mapping[str, ImageRef],
) -> Desired:
    from labctl.render.desired import render  # jinja2: only where something is rendered

    return render(intent, platforms, site=site, ports=ports, images=refs)


def _ports(lab: Lab, domains: Iterable[ObservedDomain], host: HostFacts) -> Mapping[Endpoint, int]:
    """The lab's share of the hypervisor's port table: free of all domains and other programs."""
    existing: dict[Endpoint, int] = {}
    ours: set[int] = set()
    others: set[int] = set()
    for domain in domains:
        mark = domain.metadata
        if mark is not None and mark.lab == lab.name:
            existing |= {
                Endpoint(mark.node, name): local for name, (local, _) in mark.ports.items()
            }
            ours |= {end.local[1] for end in domain.udp}
        else:
            others |= {end.local[1] for end in domain.udp}
    bound = (udp_ports() if host.is_local and host.driver == "QEMU" else None) or frozenset()
    return allocate(lab.links, lab=lab.name, existing=existing, taken=others | (bound - ours))


def _images(lab: Lab, store: ImageStore) -> Mapping[str, Image]:
    """The images at hand; preflight reports those that aren't."""
    found = {}
    for name in dict.fromkeys(node.image for node in lab.nodes):
        try:
            found[name] = store.get(name)
        except ImageError:
            continue
    return found


def _is_complete(files: NodePaths) -> bool:
    return files.overlay.exists() and files.day0.exists() and not files.warming.exists()


def _observed(
    ctx: Context,
    lab: Lab,
    domains: Iterable[ObservedDomain],
    networks: Iterable[ObservedNetwork],
) -> Observed:
    paths = ctx.home.lab(lab.name)
    mine = domains_of(lab.name, domains)
    complete = {node for node in mine if _is_complete(paths.node(node))}
    network = next((n for n in networks if n.lab == lab.name), None)
    return Observed(mine, complete, network)
