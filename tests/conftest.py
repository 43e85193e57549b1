"""What the tests share: the laptop runtime's store, and the whole stack, each once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from agent_builder.repositories import table
from local.testing import Instance, running_stack, running_store

# How long a test takes says something of the machine, not of the product. Properties are tried with the same examples
# every time, so that a failure tells of the change; `make properties` tries new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("PROPERTIES", "same"))


_STORES: list[Instance] = []


@pytest.fixture(scope="session")
def store() -> Iterator[Instance]:
    """The store alone, with the table of template.yaml; the product's repositories of this process use it.

    Tests share the table: each takes a tenant of its own.
    """
    with running_store() as instance, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in instance.environment.items():
            patch.setenv(name, value)
        table.bind(instance.table_name)
        table.reset_connections()
        _STORES.append(instance)
        yield instance
        _STORES.clear()
        table.reset_connections()


@pytest.fixture(scope="module", autouse=True)
def emptied() -> None:
    """Each module begins with an empty table: some look through all of it, which takes the longer the more there is."""
    for instance in _STORES:
        instance.reset()


@pytest.fixture(scope="session")
def stack() -> Iterator[Instance]:
    """The whole laptop runtime in processes of its own; tests share it and make agents of their own."""
    with running_stack() as instance:
        yield instance


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Name what failed once more, last and short: a reason may be a whole log, and the end of a log is what is read."""
    yield
    bad = [report for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])]
    if bad:
        terminalreporter.section("what failed")
    for report in bad:
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = " ".join(str(getattr(crash, "message", report.longrepr)).split())
        terminalreporter.write_line(
            f"{report.when} {report.nodeid} ({getattr(report, 'duration', 0):.0f} s): {reason[:300]}"
        )
