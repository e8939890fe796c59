"""A lab in one file: what an archive's list records, its form as JSON, and what may be in it.

labctl-archive.json                      this list; the first member
topology.yaml, files.json                the topology as applied
configs/...                              what `labctl render` writes: for readers
snapshot/manifest.json, NODE/FILE ...    a snapshot's folder (see labctl.model.snapshot)
images/sha256-DIGEST.qcow2               golden images, when asked for

An archive comes from anybody: what is read here is checked to the last type and name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, get_type_hints

from labctl.model.identity import NAME_PATTERN, is_safe_name

FORMAT = 1
LIST = "labctl-archive.json"
TOPOLOGY, FILES = "topology.yaml", "files.json"
CONFIGS, SNAPSHOT, IMAGES = "configs/", "snapshot/", "images/"
LARGEST_LIST = 16 * 1024 * 1024
"""Bytes of the list: a lab of 1000 nodes has 3 MiB."""
LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes of a file that is read whole."""
LARGEST_NAME = 100
"""What a tar header holds (POSIX ustar) without a second one."""

_LARGEST_FILE = 2**60
_WORDS = re.compile(r"[ -~]{0,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MANIFEST = r"manifest\.json"
_TAKEN = ("current", "restoring")
"""What a lab's folder of snapshots has besides them (labctl.ops.snapshots)."""
_PLAIN = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_MEMBER = re.compile(
    rf"{re.escape(TOPOLOGY)}|{re.escape(FILES)}"
    rf"|{CONFIGS}(?:{_PLAIN}|nodes/{NAME_PATTERN}/(?:day0/)?{_PLAIN})"
    rf"|{SNAPSHOT}(?:{_MANIFEST}|{re.escape(TOPOLOGY)}|{re.escape(FILES)}|{NAME_PATTERN}/{_PLAIN})"
    rf"|{IMAGES}sha256-[0-9a-f]{{64}}\.qcow2"
)


class Member(NamedTuple):
    """One file of an archive: size in bytes, SHA-256 in hex."""

    size: int
    sha256: str


class Golden(NamedTuple):
    """A golden image the lab stands on. `content` as `labctl.images.digest`, "" where unknown."""

    name: str
    sha256: str
    size: int
    content: str

    @property
    def member(self) -> str:
        """Its name in an archive that holds it."""
        return f"{IMAGES}sha256-{self.sha256}.qcow2"


class Contents(NamedTuple):
    """The list of an archive. `qemu` and `libvirt`: what saved the snapshot, "" without one."""

    lab: str
    created: str
    """ISO 8601 UTC."""
    labctl: str
    qemu: str
    libvirt: str
    snapshot: str
    """Its name; "" in an archive of the topology alone."""
    images: tuple[Golden, ...]
    members: Mapping[str, Member]
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members.values())

    @property
    def inside(self) -> tuple[Golden, ...]:
        """The golden images that the archive holds."""
        return tuple(image for image in self.images if image.member in self.members)


def to_json(contents: Contents) -> str:
    """The list as a JSON document."""
    data = contents._asdict()
    data["images"] = [image._asdict() for image in contents.images]
    data["members"] = {name: member._asdict() for name, member in contents.members.items()}
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def from_json(text: str | bytes) -> Contents:
    """Read a list; raises ValueError for what is none, of another format, or unsafe."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(data, dict) or type(data.get("format")) is not int:
        raise ValueError("not the list of an archive")
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}, this labctl knows {FORMAT}")
    values = _fields(data, Contents, "the list")
    images = tuple(_golden(each) for each in _typed(values.pop("images"), list, "images"))
    members = {
        _member_name(name): _member(each, name)
        for name, each in _typed(values.pop("members"), dict, "members").items()
    }
    contents = Contents(**values, images=images, members=members)
    _check(contents)
    return contents


def digest(text: object, what: str) -> str:
    """`text` when it is a SHA-256 in hex; raises ValueError otherwise."""
    if not isinstance(text, str) or not _SHA256.fullmatch(text):
        raise ValueError(f"{what} is no SHA-256: {text!r:.80}")
    return text


def _check(contents: Contents) -> None:
    """What the parts of a list must be to each other. Raises ValueError."""
    if not is_safe_name(contents.lab):
        raise ValueError(f"unsafe name of a lab: {contents.lab!r:.80}")
    if contents.snapshot in _TAKEN or not _NAME.fullmatch(contents.snapshot or "none"):
        raise ValueError(f"unsafe name of a snapshot: {contents.snapshot!r:.80}")
    if lacking := {TOPOLOGY, FILES} - set(contents.members):
        raise ValueError(f"it has no {', '.join(sorted(lacking))}")
    if len({image.name for image in contents.images}) < len(contents.images):
        raise ValueError("two images of one name")
    for image in contents.inside:
        if contents.members[image.member] != Member(image.size, image.sha256):
            raise ValueError(f"image {image.name} is not what its name says")
    for name in contents.members:
        if name.startswith(SNAPSHOT) and not contents.snapshot:
            raise ValueError(f"{name}, but no snapshot")
        if name.startswith(IMAGES) and name not in {each.member for each in contents.images}:
            raise ValueError(f"{name} is no image of the lab")


def _member_name(name: str) -> str:
    if len(name) > LARGEST_NAME or not _MEMBER.fullmatch(name):
        raise ValueError(f"no archive of a lab holds {name!r:.120}")
    return name


def _member(data: object, name: str) -> Member:
    values = _fields(data, Member, name)
    return Member(_size(values["size"], name), digest(values["sha256"], name))


def _golden(data: object) -> Golden:
    values = _fields(data, Golden, "an image")
    if not _NAME.fullmatch(values["name"]):
        raise ValueError(f"unsafe name of an image: {values['name']!r:.80}")
    digest(values["sha256"], values["name"])
    _size(values["size"], values["name"])
    return Golden(**values)


def _size(size: int, what: str) -> int:
    if not 0 <= size <= _LARGEST_FILE:
        raise ValueError(f"{what} can't be of {size} bytes")
    return size


def _fields(data: object, of: type[NamedTuple], what: str) -> dict[str, Any]:
    """`data` with exactly the fields of a NamedTuple, plain ones of exactly their types."""
    values = _typed(data, dict, what)
    if set(values) != set(of._fields):
        raise ValueError(f"{what} has other fields: {', '.join(sorted(values))[:200]}")
    for name, wanted in get_type_hints(of).items():
        if wanted in (str, int):
            _typed(values[name], wanted, f"{what}: {name}")
        if wanted is str and not _WORDS.fullmatch(values[name]):
            raise ValueError(f"{what}: {name} is no plain text: {values[name]!r:.80}")
    return dict(values)


def _typed(value: Any, wanted: type, what: str) -> Any:
    if type(value) is not wanted:
        raise ValueError(f"{what} is {type(value).__name__}, not {wanted.__name__}")
    return value
