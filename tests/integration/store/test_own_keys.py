"""What a tenant's own key of a provider costs in reads: none within a minute, whether there is one or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent_builder.crypto import Envelopes, master_keys
from agent_builder.models.credentials import CREDENTIAL_INPUT
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.table import Item
from agent_builder.services.credentials import CredentialService
from agent_builder.services.secrets import KEPT_MS, Secrets
from local.variables import key_file
from tests.integration.store.product import Product


class Reads:
    """Requests to the store."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, **_: Any) -> None:
        self.count += 1


@pytest.fixture
def reads(product: Product) -> Iterator[Reads]:
    counted = Reads()
    events = Item._get_connection().connection.client.meta.events
    events.register("before-call.dynamodb", counted)
    yield counted
    events.unregister("before-call.dynamodb", counted)


async def test_it_is_read_once_a_minute(
    product: Product, reads: Reads, tmp_path_factory: pytest.TempPathFactory
) -> None:
    envelopes = Envelopes(master_keys([str(key_file(tmp_path_factory.mktemp("keys")))], lambda: None))
    credentials = CredentialService(CredentialRepository(), lambda: envelopes, product.clock)
    secrets = Secrets(CredentialRepository(), lambda: envelopes, product.clock)
    assert await secrets.provider_key(product.tenant, "openai") == ""
    assert await secrets.provider_key(product.tenant, "openai") == ""
    assert reads.count == 1  # that there is none is known, too
    for provider in ("scripted", "local", "openai_compatible"):
        assert await secrets.provider_key(product.tenant, provider) == ""
    assert reads.count == 1
    wanted = {"name": "Ours", "kind": "provider_key", "settings": {"provider": "openai"}, "secret": {"value": "key-1"}}
    credentials.create(product.me, CREDENTIAL_INPUT.validate_python(wanted))
    assert await secrets.provider_key(product.tenant, "openai") == ""
    product.clock.ahead += KEPT_MS + 1
    reads.count = 0
    assert [await secrets.provider_key(product.tenant, "openai") for _ in range(5)] == ["key-1"] * 5
    assert reads.count == 2
    assert await secrets.provider_key(f"{product.tenant}-2", "openai") == ""
