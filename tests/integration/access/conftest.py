from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from agent_builder import bootstrap
from local.testing import Instance
from local.variables import key_file
from tests.integration.access.world import Calls, Rest, World


@pytest.fixture(scope="package")
def calls(store: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    """What the handlers ask of AWS besides the store, answered and kept; the handlers of this process use it."""
    with Calls() as server, pytest.MonkeyPatch.context() as patch:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        patch.setenv("RUNNER_FUNCTION", "runner")
        patch.setenv("CREDENTIALS_KEYS", str(key_file(tmp_path_factory.mktemp("keys"))))
        for service in ("LAMBDA", "APIGATEWAYMANAGEMENTAPI"):
            patch.setenv(f"AWS_ENDPOINT_URL_{service}", server.url)
        bootstrap._forget()
        yield server
        server.shutdown()
        bootstrap._forget()


@pytest.fixture
def rest(calls: Calls) -> Rest:
    return Rest()


@pytest.fixture
def world(calls: Calls) -> World:
    """A tenant with one of everything."""
    return World()
