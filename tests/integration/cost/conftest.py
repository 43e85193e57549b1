from __future__ import annotations

from collections.abc import Iterator

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
    with running_stack(providers=providers, arguments=["--retry-delays", "16,16"]) as running:
        yield running


@pytest.fixture
def audit(stack: Instance, vendor: Vendor) -> Iterator[Audit]:
    yield Audit(stack, Rest(stack.url), vendor)
    vendor.let_go.set()
