"""labctl's mark survives XML, whatever its fields hold."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.model.metadata import METADATA_NS, LabMetadata, from_element, to_xml

TEXT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"],
        exclude_characters="\ufffe\uffff",
        include_characters="\t\n",
    ),
    max_size=20,
)
PORT = st.integers(1, 65535)
MARKS = st.builds(
    LabMetadata,
    lab=TEXT,
    node=TEXT,
    role=TEXT,
    platform=TEXT,
    version=TEXT,
    spec=TEXT,
    digests=st.dictionaries(TEXT, TEXT, max_size=3),
    ports=st.dictionaries(TEXT, st.tuples(PORT, PORT), max_size=3),
)
PLAIN = LabMetadata("l", "n", "leaf", "frr", "1", "abc", {"image": "d"}, {"eth1": (10001, 10002)})


def read(text: str) -> LabMetadata:
    return from_element(ElementTree.fromstring(text))


@given(MARKS)
def test_round_trip(mark: LabMetadata) -> None:
    assert read(to_xml(mark)) == mark


@given(MARKS)
def test_is_one_element_of_our_namespace(mark: LabMetadata) -> None:
    document = ElementTree.fromstring(f"<metadata>{to_xml(mark)}</metadata>")
    assert [child.tag for child in document] == [f"{{{METADATA_NS}}}mark"]


def test_reads_what_libvirt_hands_back_without_namespace() -> None:
    stripped = to_xml(PLAIN).replace(f' xmlns="{METADATA_NS}"', "")
    assert METADATA_NS not in stripped
    assert read(stripped) == PLAIN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<other/>", "is not labctl's"),
        ("<mark lab='l'/>", "lacks 'node'"),
        (to_xml(PLAIN).replace("10001", "many"), "many"),
    ],
)
def test_refuses_what_is_no_mark(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(text)
    assert said in str(caught.value)


def test_refuses_control_characters() -> None:
    with pytest.raises(ValueError) as caught:
        to_xml(LabMetadata("a\x00b", "", "", "", "", ""))
    assert "can't stand in XML" in str(caught.value)
