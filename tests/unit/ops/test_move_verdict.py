"""What import-lab says of a lab that goes on from memory: verify's verdict."""

from __future__ import annotations

from pathlib import Path

from harness.archives import moved, snapshot
from harness.site import LAB, Site
from harness.warm import Guest
from labctl.ops.export import export
from labctl.ops.import_lab import import_lab
from labctl.verify.model import Status


def test_what_goes_on_is_verified(here: Site, there: Site, archive_file: Path) -> None:
    moved(here, archive_file)
    there.fake.guest = Guest()
    result = import_lab(there.context, archive_file)
    assert result.verify is not None
    assert result.verify.count(Status.PASS) >= 2


def test_a_lab_that_stood_still_is_not_verified(
    here: Site, there: Site, archive_file: Path
) -> None:
    here.fake.suspend(f"{LAB}.b")
    snapshot(here.context, here.fake, LAB, "half")
    export(here.context, LAB, archive_file, snapshot="half")
    assert import_lab(there.context, archive_file).verify is None
