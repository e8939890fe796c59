"""Names of Nexus images: real ones of every scheme, what is refused and why, any letter case."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.model.image_name import ImageName, parse_name
from labctl.model.release import Release, parse_release

# Name: family, product, release, bits (0: not told), boot image. Files as gns3-registry, mweisel's
# cisco-nxos9kv-vagrant-libvirt and netlab name them, folders as in labs published for EVE-NG.
REAL = """
nxosv9k-7.0.3.I7.4                 nxosv9k        9000v  7.0(3)I7(4)  32 nxos.7.0.3.I7.4.bin
nxosv9k-7.0.3.i7.4                 nxosv9k        9000v  7.0(3)I7(4)  32 nxos.7.0.3.I7.4.bin
nxosv9k-7.0.3.I7.4.qcow2           nxosv9k        9000v  7.0(3)I7(4)  32 nxos.7.0.3.I7.4.bin
nxosv9k-9.2.3                      nxosv9k        9000v  9.2(3)       32 nxos.9.2.3.bin
nxosv9k-9.3.1                      nxosv9k        9000v  9.3(1)       32 nxos.9.3.1.bin
nxosv9k-9.3.9                      nxosv9k        -      9.3(9)       32 nxos.9.3.9.bin
nxosv9k-10.1.1                     nxosv9k        -      10.1(1)      0  -
nxosv9k-10.2.1.F                   nxosv9k        -      10.2(1)F     0  -
nxosv9k-10.3.1                     nxosv9k        -      10.3(1)      64 -
nxosv9k-10.3.4.F.qcow2             nxosv9k        -      10.3(4)F     64 nxos64-cs.10.3.4.F.bin
nxosv9k-9300v-9.3.9                nxosv9k        9300v  9.3(9)       32 nxos.9.3.9.bin
nxosv9k-9300v-10.4.2.F             nxosv9k        9300v  10.4(2)F     64 nxos64-cs.10.4.2.F.bin
nxosv9k-9500-9.3.9                 nxosv9k        9500v  9.3(9)       32 nxos.9.3.9.bin
nxosv9k-9500v-10.4.2.F             nxosv9k        9500v  10.4(2)F     64 nxos64-cs.10.4.2.F.bin
nxosv-final.7.0.3.I2.1.qcow2       nxosv-final    9000v  7.0(3)I2(1)  32 nxos.7.0.3.I2.1.bin
nxosv-final.7.0.3.I2.2e.ova        nxosv-final    9000v  7.0(3)I2(2e) 32 nxos.7.0.3.I2.2e.bin
nxosv-final.7.0.3.I5.1.ova.vmdk    nxosv-final    9000v  7.0(3)I5(1)  32 nxos.7.0.3.I5.1.bin
nxosv-final.7.0.3.I6.1.box         nxosv-final    9000v  7.0(3)I6(1)  32 nxos.7.0.3.I6.1.bin
nxosv-final.7.0.3.I7.10.qcow2      nxosv-final    9000v  7.0(3)I7(10) 32 nxos.7.0.3.I7.10.bin
nxosv-final.9.2.3.qcow2            nxosv-final    9000v  9.2(3)       32 nxos.9.2.3.bin
nxosv.9.2.4.qcow2                  nxosv          9000v  9.2(4)       32 nxos.9.2.4.bin
nxosv.9.3.1.qcow2                  nxosv          9000v  9.3(1)       32 nxos.9.3.1.bin
nexus9300v.9.3.3.qcow2             nexus9300v     9300v  9.3(3)       32 nxos.9.3.3.bin
nexus9300v.9.3.5.box               nexus9300v     9300v  9.3(5)       32 nxos.9.3.5.bin
nexus9300v.9.3.13.qcow2            nexus9300v     9300v  9.3(13)      32 nxos.9.3.13.bin
nexus9500v.9.3.7.qcow2             nexus9500v     9500v  9.3(7)       32 nxos.9.3.7.bin
nexus9300v.10.1.1.qcow2            nexus9300v     9300v  10.1(1)      32 nxos.10.1.1.bin
nexus9500v64.10.1.1.qcow2          nexus9500v     9500v  10.1(1)      64 nxos64.10.1.1.bin
nexus9500v64.10.1.2.qcow2          nexus9500v     9500v  10.1(2)      64 nxos64.10.1.2.bin
nexus9500v64.10.2.1.F.qcow2        nexus9500v     9500v  10.2(1)F     64 nxos64.10.2.1.F.bin
nexus9500v64.10.2.2.F.qcow2        nexus9500v     9500v  10.2(2)F     64 nxos64-cs.10.2.2.F.bin
nexus9300v64-lite.10.2.3.F.qcow2   nexus9300v     9300v  10.2(3)F     64 nxos64-cs-lite.10.2.3.F.bin
nexus9300v64.10.3.8.M.qcow2        nexus9300v     9300v  10.3(8)M     64 nxos64-cs.10.3.8.M.bin
nexus9300v64.10.3.4a.M.qcow2       nexus9300v     9300v  10.3(4a)M    64 nxos64-cs.10.3.4a.M.bin
nexus9300v64.10.6.2.F.qcow2        nexus9300v     9300v  10.6(2)F     64 nxos64-cs.10.6.2.F.bin
nexus9500v64-lite.10.5.5.M.qcow2   nexus9500v     9500v  10.5(5)M     64 nxos64-cs-lite.10.5.5.M.bin
n9kv-9300-10.5.2.qcow2             n9kv           9300v  10.5(2)      64 -
n9kv-9300-10.5.5.M.qcow2           n9kv           9300v  10.5(5)M     64 nxos64-cs.10.5.5.M.bin
n9kv-9500-lite-10.5.5.M.qcow2      n9kv           9500v  10.5(5)M     64 nxos64-cs-lite.10.5.5.M.bin
nxosv9000-9-2-4                    nxosv9000      9000v  9.2(4)       32 nxos.9.2.4.bin
nxosv9300-9-3-6                    nxosv9300      9300v  9.3(6)       32 nxos.9.3.6.bin
nxosv9500-9-3-6                    nxosv9500      9500v  9.3(6)       32 nxos.9.3.6.bin
nxosv9300-10-6-2-f                 nxosv9300      9300v  10.6(2)F     64 nxos64-cs.10.6.2.F.bin
nxosv9300-lite-10-6-2-f            nxosv9300      9300v  10.6(2)F     64 nxos64-cs-lite.10.6.2.F.bin
titanium-d1.7.2.0.D1.1.vmdk        titanium-d1    NX-OSv 7.2(0)D1(1)  0  -
titanium-final.7.3.0.D1.1.qcow2    titanium-final NX-OSv 7.3(0)D1(1)  0  -
NXOSv-7.2.0.D1.1.qcow2             nxosv          NX-OSv 7.2(0)D1(1)  0  -
nxosv9k-6.1.2.I2.1                 nxosv9k        9000v  6.1(2)I2(1)  32 n9000-dk9.6.1.2.I2.1.bin
"""
NAMES = {line.split()[0]: line.split()[1:] for line in REAL.strip().splitlines()}

REFUSED = {
    "": "begins with no family",
    "iosv-15.6.2.qcow2": "'iosv-15.6.2.qcow2' begins with no family",
    "nxos.9.3.5.bin": "'nxos.9.3.5.bin' is a boot image, which a Nexus keeps on its bootflash",
    "img/NXOS64-cs.10.3.3.F.bin": "'NXOS64-cs.10.3.3.F.bin' is a boot image",
    "nxos64-cs-lite.10.3.3.F.bin": "it is no disk image",
    "n9000-dk9.6.1.2.I2.1.bin": "it is no disk image",
    "nxos64-cs.10.3.3.F.qcow2": "begins with no family",
    "nexus9400v.9.3.5.qcow2": "begins with no family",
    "sataa.qcow2": "'sataa.qcow2' begins with no family",
    "nxosv9k": "nothing follows 'nxosv9k'",
    "n9kv-lite.qcow2": "'.qcow2' after 'n9kv-lite'",
    "nexus9300v.9.3.qcow2": "'.9.3.qcow2' after 'nexus9300v'",
    "nexus9300v.9.3.05.qcow2": "'.9.3.05.qcow2' after",
    "nexus9300v.9.3.5.bin": "'.bin' after nexus9300v.9.3.5",
    "nxosv9k-9300v-9.3.9-mine": "'-mine' after nxosv9k-9300v-9.3.9",
    "nxosv-final.7.0.3.X7.4.qcow2": "'.X7.4.qcow2' after nxosv-final.7.0.3",
    "nxosv-final.7.0.3.I2.0.454.qcow2": "'.454.qcow2' after",
    "nexus9300v64.10.5.5.X.qcow2": "'.X.qcow2' after",
    "nexus9300v64.10.5.5.M.qcow2\n": "after nexus9300v64.10.5.5.M",
    "nexus9300v64.10.5.5.M.vmdk/sataa.qcow2": "'.vmdk' after",
    "nxosv9k-7.0.3": "7.0.3 lacks its train and rebuild",
    "titanium-7.3.0": "7.3.0 lacks its train",
    "nxosv-7-3-0": "7-3-0 lacks its train",
    "nxosv9k-7.0.3.I7": "train I7 lacks its rebuild",
    "nxosv9k-7.0.3.I7.0": "train I7 lacks its rebuild",
    "nxosv9k-9.3.9.I7.4": "train I7: there are none since 9.2",
    "nxosv-final.7.0.3.D7.4.qcow2": "train D7 is the Nexus 7000's, nxosv-final a Nexus 9000",
    "titanium-final.7.0.3.I7.4.qcow2": "titanium-final is a Nexus 7000",
    "nexus9300v.7.0.3.I7.4.qcow2": "there is no 9300v before 9.3(3)",
    "nxosv9k-9500-9.3.1": "there is no 9500v before 9.3(3)",
    "nexus9300v64.9.3.9.qcow2": "no 64-bit image before 10.1(1)",
    "nexus9300v64-lite.10.2.2.F.qcow2": "no lite image before 10.2(3)",
    "nexus9300v.9.3.5.F.qcow2": "F marks releases since 10.2(1)",
}


@pytest.mark.parametrize("name", NAMES)
def test_real_names(name: str) -> None:
    family, product, release, bits, boot_image = NAMES[name]
    parsed = parse_name(name)
    assert parsed.family == family
    assert parsed.product == product.removeprefix("-")
    assert parsed.release == parse_release(release)
    assert parsed.bits == int(bits)
    assert parsed.boot_image == boot_image.removeprefix("-")
    assert parsed.lite == ("lite" in name)


@pytest.mark.parametrize("name", NAMES)
def test_letter_case_means_nothing(name: str) -> None:
    assert (
        said(parse_name(name.upper())) == said(parse_name(name.lower())) == said(parse_name(name))
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_piece_is_explained_in_its_order(name: str) -> None:
    parts = parse_name(name).parts
    assert bare("".join(part.text for part in parts)) == bare(name)
    assert all(part.kind and part.meaning for part in parts)
    assert len({part.kind for part in parts}) == len(parts)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_named(name: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_name(name)
    assert repr(name) in str(caught.value)
    assert REFUSED[name] in str(caught.value)


def test_all_that_contradicts_itself_is_told_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        parse_name("nxosv9k-9300v64-lite-9.2.3.F")
    told = str(caught.value)
    assert told.count(";") == 3
    assert re.search("9300v.*64-bit.*lite.*F marks", told)


@pytest.mark.parametrize(
    ("path", "folder", "ending"),
    [
        ("images/nxosv9k-7.0.3.I7.4.qcow2", "images/", "qcow2"),
        ("/opt/unetlab/addons/qemu/nxosv9k-7.0.3.I7.4/", "/opt/unetlab/addons/qemu/", ""),
        ("/opt/qemu/nxosv9k-7.0.3.I7.4/sataa.qcow2", "/opt/qemu/", "qcow2"),
        ("nxosv9k-7.0.3.I7.4/HDA.QCOW2", "", "qcow2"),
        ("nxosv9k-9.3.9/nxosv9k-7.0.3.I7.4", "nxosv9k-9.3.9/", ""),
    ],
)
def test_of_a_path_the_image_counts(path: str, folder: str, ending: str) -> None:
    parsed = parse_name(path)
    assert (str(parsed.release), parsed.format) == ("7.0(3)I7(4)", ending)
    assert [part.text for part in parsed.parts if part.kind == "folder"] == (
        [folder] if folder else []
    )
    assert bare("".join(part.text for part in parsed.parts)) == bare(path)


def test_endings() -> None:
    assert parse_name("nxosv-final.7.0.3.I5.1.ova.vmdk").format == "ova.vmdk"
    assert parse_name("nxosv-final.7.0.3.I5.1.OVA").format == "ova"
    assert parse_name("nxosv-final.7.0.3.I5.1").format == ""


def test_a_network_engineer_reads_the_parts() -> None:
    parts = [(p.text, p.kind, p.meaning) for p in parse_name("nxosv9k-7.0.3.i7.4").parts]
    assert parts == [
        ("nxosv9k", "family", "EVE-NG and PNETLab folder name of the Nexus 9000v"),
        ("7.0.3", "release", "NX-OS 7.0(3): major 7, minor 0, maintenance 3"),
        ("i7", "train", "I: Nexus 9000 platform train (D would be Nexus 7000), number 7 of it"),
        ("4", "rebuild", "rebuild 4 of I7: the whole release is 7.0(3)I7(4)"),
    ]


@pytest.mark.parametrize("name", ["nxosv9k-9.3.9", "nxosv9000-10-1-2", "nxosv9k-9000v-9.3.9"])
def test_a_product_left_open_is_said_to_be(name: str) -> None:
    parsed = parse_name(name)
    assert parsed.product == ""
    assert any("9300v and 9500v it is, the name doesn't tell" in p.meaning for p in parsed.parts)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nxosv.9.2.4", "Cisco's file name of the Nexus 9000v from 9.2(4) to 9.3(1)"),
        ("nxosv.9.3.1", "Cisco's file name of the Nexus 9000v from 9.2(4) to 9.3(1)"),
        ("nxosv.9.2.3", "which it was not for 9.2(3)"),
        ("nxosv.9.3.9", "which it was not for 9.3(9)"),
        ("nxosv-final.9.3.13", "which it was not for 9.3(13)"),
        ("nxosv-final.9.2.3", "Cisco's file name of the Nexus 9000v up to 9.2(3)"),
    ],
)
def test_a_family_out_of_its_time_is_said_to_be(name: str, told: str) -> None:
    family = parse_name(name).parts[0]
    assert told in family.meaning
    assert ("somebody else gave this name" in family.meaning) is ("was not" in told)


NUMBERS = st.integers(1, 20)
LETTERS = st.sampled_from(["", "", "a", "e"])
TRAINS = st.builds(
    Release,
    st.just(7),
    st.just(0),
    st.just(3),
    train=st.just("I"),
    train_number=st.integers(2, 7),
    rebuild=NUMBERS,
    rebuild_letter=LETTERS,
)
NINES = st.builds(Release, st.just(9), st.just(3), st.integers(3, 20), LETTERS)
TENS = st.builds(
    Release, st.just(10), st.integers(3, 6), NUMBERS, LETTERS, kind=st.sampled_from("FM")
)
PRODUCTS = st.sampled_from(["9300v", "9500v"])
SCHEMES: list[Callable[[str, str, str], str]] = [
    lambda dotted, product, lite: f"nexus{product}{lite}.{dotted}.qcow2",
    lambda dotted, product, lite: f"nxosv9k-{product}{lite}-{dotted}",
    lambda dotted, product, lite: f"nxosv{product[:-1]}{lite}-{dotted}".replace(".", "-").lower(),
    lambda dotted, product, lite: f"n9kv-{product[:-1]}{lite}-{dotted}.qcow2",
]


@given(TRAINS, st.sampled_from(["nxosv9k-{}", "nxosv-final.{}.qcow2", "n9kv-{}.ova"]))
def test_releases_with_a_train_come_back(release: Release, scheme: str) -> None:
    parsed = parse_name(scheme.format(release.dotted))
    assert parsed.release == release
    assert (parsed.product, parsed.bits) == ("9000v", 32)
    assert parsed.boot_image == f"nxos.{release.dotted}.bin"


@given(NINES | TENS, PRODUCTS, st.booleans(), st.sampled_from(SCHEMES))
def test_releases_without_one_come_back(
    release: Release, product: str, lite: bool, scheme: Callable[[str, str, str], str]
) -> None:
    lite = lite and release.major == 10
    parsed = parse_name(scheme(release.dotted, product, "-lite" if lite else ""))
    assert parsed.release == release
    assert (parsed.product, parsed.lite) == (product, lite)
    assert parsed.bits == (32 if release.major == 9 else 64)
    assert parsed.boot_image.endswith(f".{release.dotted}.bin")


@given(st.text() | st.text("nxosv9ke30u5-.lite64IFMqcow2/").map("nxosv9k-".__add__))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parsed = parse_name(text)
    except ValueError:
        return
    assert bare("".join(part.text for part in parsed.parts)) == bare(text)


def said(name: ImageName) -> tuple[object, ...]:
    """All but the spelling."""
    meanings = tuple((part.kind, part.meaning) for part in name.parts)
    return (
        name.family,
        name.product,
        name.release,
        name.bits,
        name.boot_image,
        name.format,
        meanings,
    )


def bare(text: str) -> str:
    """Without what parts the pieces."""
    return re.sub("[-./]", "", text)
