"""A libvirtd that could not read its own schema is asked once more, any other refusal stands."""

from __future__ import annotations

import libvirt
import pytest

from labctl.errors import HypervisorError
from labctl.hypervisor.domains import define

RACE = "internal error: Unable to parse RNG /usr/share/libvirt/schemas/domain.rng: no such type"


class Connection:
    """Refuses as often as it has words for it."""

    def __init__(self, *refusals: str) -> None:
        self.refusals = list(refusals)
        self.calls = 0

    def defineXMLFlags(self, _xml: str, _flags: int) -> None:  # noqa: N802 -- libvirt's name
        self.calls += 1
        if self.refusals:
            raise libvirt.libvirtError(self.refusals.pop(0))


def test_a_schema_that_could_not_be_read_is_read_again() -> None:
    connection = Connection(RACE)
    define(connection, "<domain><name>a</name></domain>")
    assert connection.calls == 2


@pytest.mark.parametrize(("refusals", "calls"), [((RACE, RACE), 2), (("no such machine",), 1)])
def test_other_refusals_stand(refusals: tuple[str, ...], calls: int) -> None:
    connection = Connection(*refusals)
    with pytest.raises(HypervisorError, match="can't define domain a"):
        define(connection, "<domain><name>a</name></domain>")
    assert connection.calls == calls
