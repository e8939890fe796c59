"""Domains up and down as a script of its own: python lifecycle.py up|destroy URI FOLDER WIDTH.

FOLDER holds one XML file per domain, and `network.xml` where they need one.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import libvirt


def up(connection: libvirt.virConnect, xml: str) -> None:
    """Define a domain and start it paused."""
    domain = connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)


def destroy(connection: libvirt.virConnect, xml: str) -> None:
    """Force a domain off and undefine it."""
    domain = connection.lookupByName(ElementTree.fromstring(xml).findtext("name"))
    domain.destroy()
    domain.undefine()


def main(verb: str, uri: str, folder: Path, width: int) -> None:
    """Do it for all domains, `width` at a time."""
    work: Callable[[libvirt.virConnect, str], None] = {"up": up, "destroy": destroy}[verb]
    connection = libvirt.open(uri)
    network = folder / "network.xml"
    if verb == "up" and network.exists():
        connection.networkDefineXML(network.read_text()).create()
    documents = [path.read_text() for path in sorted((folder / "domains").glob("*.xml"))]
    with ThreadPoolExecutor(width) as pool:
        list(pool.map(lambda xml: work(connection, xml), documents))
    if verb == "destroy" and network.exists():
        name = ElementTree.fromstring(network.read_text()).findtext("name")
        found = connection.networkLookupByName(name)
        found.destroy()
        found.undefine()
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
