"""Secrets: made once, for their owner alone, and in nothing but the day-0 medium."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labctl.errors import UsageError
from labctl.model.desired import Day0
from labctl.model.paths import Home
from labctl.model.secret import ADMIN_PASSWORD
from labctl.ops.secrets import admin_password, with_secrets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_made_once_and_for_the_owner_alone(home: Home) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: admin_password(home), range(8)))
    assert len(made) == 1
    path = home.admin_password
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["nxos-admin"]


def test_two_sites_have_two(tmp_path: Path) -> None:
    assert admin_password(Home(tmp_path / "a")) != admin_password(Home(tmp_path / "b"))


def test_the_user_s_own_is_taken(home: Home) -> None:
    write(home, "Lab-pass-1\n")
    assert admin_password(home) == "Lab-pass-1"


@pytest.mark.parametrize("text", ["", "short", "with a blank", "why?why?why?", "a" * 65])
def test_what_no_nexus_takes_is_refused(home: Home, text: str) -> None:
    write(home, text)
    with pytest.raises(UsageError, match="holds no password") as caught:
        admin_password(home)
    assert not text.strip() or text not in str(caught.value.details)


def test_one_that_others_may_read_is_refused(home: Home) -> None:
    write(home, "Lab-pass-1")
    home.admin_password.chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others"):
        admin_password(home)


def test_it_takes_the_place_of_its_word(home: Home) -> None:
    day0 = Day0("LABCTL", {"nxos_config.txt": f"username admin password 0 {ADMIN_PASSWORD}\n"}, "d")
    filled = with_secrets(day0, home)
    assert admin_password(home) in filled.files["nxos_config.txt"]
    assert filled.digest == day0.digest


def test_no_secret_is_made_for_a_lab_that_needs_none(home: Home) -> None:
    day0 = Day0("LABCTL", {"hostname": "leaf-1\n"}, "d")
    assert with_secrets(day0, home) is day0
    assert not home.admin_password.exists()


def write(home: Home, text: str) -> None:
    home.admin_password.parent.mkdir(mode=0o700)
    home.admin_password.touch(mode=0o600)
    home.admin_password.write_text(text)
