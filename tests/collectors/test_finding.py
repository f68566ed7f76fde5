"""A collector is found because its file is there, and the folder is looked into once."""

from __future__ import annotations

from pathlib import Path

import pytest

import collectors


def test_every_file_is_a_collector_but_those_that_begin_with_an_underscore() -> None:
    files = {file.stem for file in Path(collectors.__file__).parent.glob("*.py")}

    assert collectors.names() == tuple(sorted(name for name in files if not name.startswith("_")))


def test_the_folder_is_looked_into_once() -> None:
    collectors.names()
    looked = collectors.names.cache_info().misses
    for name in collectors.names():
        collectors.module(name)

    assert collectors.names.cache_info().misses == looked


def test_a_name_without_a_file_is_refused_without_importing_anything() -> None:
    with pytest.raises(KeyError, match="_text"):
        collectors.module("_text")
