"""What the client's tests share."""

from __future__ import annotations

import shutil

import pytest

from tests.client.typescript import BUILT, compile_project


@pytest.fixture(scope="session")
def compiled() -> None:
    """The TypeScript client and its tests, as JavaScript."""
    shutil.rmtree(BUILT, ignore_errors=True)
    compile_project("tsconfig.test.json")


@pytest.fixture(scope="session")
def built() -> None:
    """What `make client` makes: compiled for browsers, without the types of Node."""
    compile_project("tsconfig.json")
