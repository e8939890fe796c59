"""A configuration that `labctl save` wrote is for the node it names."""

from __future__ import annotations

import pytest

from labctl.errors import TopologyError
from labctl.model.lab import Lab
from labctl.model.saved import as_whole, is_whole
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

TEXT = """\
lab: small
fabric: {spines: 1, leaves: 2}
nodes:
  leaf-1: {config: FILE}
"""
SAVED = as_whole("leaf-2", "hostname leaf-2\n")


def read(config: str, saved: str) -> Lab:
    text = TEXT.replace("FILE", config)
    return load(text, source="f", platforms=load_platforms(), read_file=lambda _name: saved)


@pytest.mark.parametrize("config", ["saved/leaf-2.cfg", "{file: saved/leaf-2.cfg}"])
def test_another_nodes_is_refused_where_the_file_names_it(config: str) -> None:
    with pytest.raises(TopologyError) as caught:
        read(config, SAVED)
    (problem,) = caught.value.problems
    assert problem.line == 4
    told = "'saved/leaf-2.cfg' is the whole configuration of leaf-2, not of leaf-1"
    assert problem.message == told
    assert "take `of leaf-2` out of its first line" in problem.hint


@pytest.mark.parametrize(
    ("saved", "whole"),
    [
        (as_whole("leaf-1", "hostname leaf-1\n"), True),
        (SAVED.replace(" of leaf-2", ""), True),
        (SAVED.partition("\n")[2], False),
    ],
)
def test_its_own_and_what_names_no_node_is_taken(saved: str, whole: bool) -> None:
    config = read("saved/leaf-2.cfg", saved).node("leaf-1").extra_config
    assert (config, is_whole(config)) == (saved, whole)
