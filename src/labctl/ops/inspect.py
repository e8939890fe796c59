"""Look into an image, reading only: what it is, what it stands on, what is on its disk."""

from __future__ import annotations

import contextlib
from pathlib import Path

from labctl.errors import HypervisorError, ImageError
from labctl.images.contents import Reading
from labctl.images.inspect import Subject, look
from labctl.images.store import ImageStore
from labctl.model.fit import runs
from labctl.model.image_name import ImageName, parse_name
from labctl.model.inspection import Firmware, Inspection
from labctl.model.verdict import judge
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.preflight import local
from labctl.preflight.canary import prove_kvm
from labctl.topology.known_images import load_known_images
from labctl.topology.platforms import load_platforms
from labctl.topology.signatures import load_signatures

_KVM = Path("/dev/kvm")


def inspect(ctx: Context, ref: str, deep: bool = False) -> Inspection:
    """What the image `ref` is, with evidence: a name in the store, else a file.

    `deep` reads what is on its disk too. Damage is a verdict; ImageError is for what can't be
    read at all, and for `deep` without guestfish.
    """
    subject = _subject(ref, ImageStore(ctx.home.images))
    reading = None
    if deep:
        kvm = _kvm_works(ctx)
        slow = "" if kvm else ", 10 to 25 s without KVM"
        ctx.emit(Notice(f"reading the disk in a small machine (libguestfs){slow}"))
        reading = Reading(subject.claims, load_signatures(), kvm=kvm)
    return judge(look(subject, load_known_images(), reading))


def _subject(ref: str, store: ImageStore) -> Subject:
    path = Path(ref)
    if "/" not in ref:
        try:
            image = store.get(ref)
        except ImageError:
            if not path.exists():
                raise
        else:
            claims = _claims(image.name) or _claims(Path(image.source).name)
            return Subject(image.path, image.name, claims, image, _firmware(claims))
    claims = _claims(path.name) or _claims(str(path))  # EVE-NG's folder names what is in it
    return Subject(path, path.name, claims, None, _firmware(claims))


def _claims(name: str) -> ImageName | None:
    try:
        return parse_name(name)
    except ValueError:
        return None


def _firmware(claims: ImageName | None) -> Firmware:
    """What the named device needs of this host; nothing is claimed of a name that tells none."""
    if claims is None:
        return Firmware(needed=False, there=None)
    platform = next(p for p in load_platforms().values() if runs(p, claims.text))
    if not platform.firmware:
        return Firmware(needed=False, there=None)
    found = local.firmware([platform])[platform.name]
    return Firmware(needed=True, there=found is not None)


def _kvm_works(ctx: Context) -> bool:
    """The canary's verdict; False where nobody can ask it: slow is better than hanging."""
    if not _KVM.exists():
        return False
    try:
        with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
            host = hypervisor.host()
            local_host = host.is_local and host.driver == "QEMU"
            return local_host and prove_kvm(hypervisor, ctx.home, host).usable
    except HypervisorError:
        return False
