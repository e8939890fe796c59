"""lab/images.yaml: what is shipped is sound, what is broken is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labctl.errors import TopologyError
from labctl.model.image_name import parse_name
from labctl.topology.known_images import KNOWN_IMAGES, load_known_images

FIRST = "nxosv-final.7.0.3.I5.1.ova.vmdk"


def test_the_shipped_images() -> None:
    images = load_known_images()
    assert len(images) == KNOWN_IMAGES.read_text().count("file:") == 38
    for name, image in images.items():
        assert name == image.file.lower()
        assert parse_name(image.file).format
        assert re.fullmatch("[0-9a-f]{32}", image.md5)
        assert 200e6 < image.size < 3e9
    assert len({image.md5 for image in images.values()}) == len(images)
    assert {image.source for image in images.values()} == {"gns3-registry"}


def test_the_one_of_the_story() -> None:
    image = load_known_images()["nxosv-final.7.0.3.i7.4.qcow2"]
    assert (image.size, image.md5) == (985792512, "1e980c95ca47045ae45ded6e07fabfb8")


def test_files_stand_in_order_of_release() -> None:
    names = [parse_name(image.file) for image in load_known_images().values()]
    assert names == sorted(names, key=lambda name: (name.release.age, name.text))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (f"file: {FIRST}", "file: iosv.15.6", "file: 'iosv.15.6': 'iosv.15.6' begins with no"),
        (f"file: {FIRST}", "file: 7", "file: must be text"),
        (FIRST, "NXOSV-final.7.0.3.I5.1.qcow2", "file is that of NXOSV-final.7.0.3.I5.1.qcow2 too"),
        ("06819b82aee062aeb443487a970cb6fa", "06819B82", "'06819B82' is no MD5"),
        (
            "06819b82aee062aeb443487a970cb6fa",
            "201ea658fa4c57452ee4b2aa4f5262a7",
            f"md5 is that of {FIRST} too",
        ),
        ("bytes: 764642304", "bytes: 0", "bytes: must be a whole number of bytes from 1, not 0"),
        ("bytes: 764642304", "bytes: true", "not True"),
        ("bytes:", "size:", "unknown key 'size'"),
        ("bytes:", "size:", "'bytes' is missing"),
        ("source: gns3-registry", "source: ''", "source: must be text"),
        ("source:", "- source", "not valid YAML"),
        ("images:", "images: none #", "not valid YAML"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    text = KNOWN_IMAGES.read_text()
    assert old in text
    path = tmp_path / "images.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(TopologyError) as caught:
        load_known_images(path)
    assert any(expected in problem.message for problem in caught.value.problems)


def test_a_list_is_no_file_of_images(tmp_path: Path) -> None:
    path = tmp_path / "images.yaml"
    path.write_text("[]")
    with pytest.raises(TopologyError) as caught:
        load_known_images(path)
    assert caught.value.problems[0].message == "must be a mapping of keys to values"
