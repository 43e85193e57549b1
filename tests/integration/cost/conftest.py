from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.testing import Instance, running_stack
from tests.integration.cost.audit import Audit
from tests.integration.cost.vendor import Vendor, selling
from tests.integration.rest import Rest


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with selling() as vendor:
        yield vendor


@pytest.fixture(scope="module")
def stack(vendor: Vendor) -> Iterator[Instance]:
    """Every vendor's address is ours; Lambda's retry comes when a lease has ended, as on AWS after a minute."""
    providers = {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": vendor.url,
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": f"{vendor.url}/v1",
        "GEMINI_API_KEY": "k",
        "GOOGLE_GEMINI_BASE_URL": vendor.url,
    }
    with running_stack(
        providers=providers, env={"LOOPBACK_TOOLS": "1"}, arguments=["--retry-delays", "16,16"]
    ) as running:
        yield running


@pytest.fixture
def audit(stack: Instance, vendor: Vendor) -> Iterator[Audit]:
    yield Audit(stack, Rest(stack.url), vendor)
    vendor.let_go.set()


@pytest.fixture
def answering() -> Iterator[str]:
    """The address of a server that answers any GET with a small object."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"found": "much"}')

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
