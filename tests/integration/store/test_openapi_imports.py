"""How imports are stored: in pieces, by attempts, and never more at once than there are places."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest

from agent_builder.errors import NotFound, TooManyRequests
from agent_builder.models.openapi_imports import ImportCreate, OpenApiImport
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.grants import GrantRepository
from agent_builder.repositories.openapi_imports import AT_ONCE, OpenApiImportRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.import_views import import_view, operation_view
from agent_builder.services.importing import ATTEMPTS, LEASE_MS, Importing
from agent_builder.services.openapi_imports import KEPT_MS, PLACE_MS, OpenApiImportService
from agent_builder.services.parts import PartService
from tests.integration.store.product import Product
from tests.unit.openapi.descriptions import description

REPOSITORY = OpenApiImportRepository()


@pytest.fixture
def imports(product: Product) -> OpenApiImportService:
    parts = PartService(product.agents)
    return OpenApiImportService(
        REPOSITORY, AgentRepository(), CredentialRepository(), parts, product.bell, product.clock
    )


@pytest.fixture
def importing(product: Product) -> Importing:
    nobody = Authorization(CredentialRepository(), GrantRepository(), None, None)  # type: ignore[arg-type]
    return Importing(REPOSITORY, AgentRepository(), PartRepository(), nobody, product.clock)


def begin(product: Product, imports: OpenApiImportService, document: Any = None) -> str:
    wanted = ImportCreate(agent_id=product.agent(), document=document or description({"/a": {"get": {}}}))
    return str(imports.create(product.me, wanted, idempotency_key=None)["id"])


def claim(product: Product, import_id: str) -> OpenApiImport | None:
    now = product.clock()
    return REPOSITORY.claim(product.tenant, import_id, now=now, until=now + LEASE_MS)


def noise(length: int) -> str:
    return "".join(random.Random(1).choices(string.printable[:94], k=length))


def test_a_description_as_large_as_a_body_comes_back_whole(product: Product, imports: OpenApiImportService) -> None:
    document = noise(1_000_000)
    import_id = begin(product, imports, document)
    claimed = claim(product, import_id)
    assert claimed is not None
    assert claimed.document_pieces > 2
    assert REPOSITORY.document(product.tenant, claimed) == document.encode()


def test_operations_that_do_not_shrink_fit_all_the_same(product: Product, imports: OpenApiImportService) -> None:
    claimed = claim(product, begin(product, imports))
    assert claimed is not None
    operations = [{"key": str(number), "text": noise(60_000 + number)} for number in range(30)]
    starts = REPOSITORY.store_operations(product.tenant, claimed, operations)
    assert starts[0] == 0 and len(starts) > 2
    ready = OpenApiImport(**{**_fields(claimed), "starts": starts, "operations": len(operations)})
    assert REPOSITORY.operations(product.tenant, ready) == operations
    for first in range(len(operations)):
        for count in (1, 3, 100):
            found = REPOSITORY.operations(product.tenant, ready, first=first, count=count)
            assert found == operations[first : first + count]
    assert REPOSITORY.operations(product.tenant, ready, first=30, count=5) == []


def _fields(one: OpenApiImport) -> dict[str, Any]:
    return {name: getattr(one, name) for name in OpenApiImport.__slots__}


async def test_one_attempt_at_a_time_and_the_last_one_counts(
    product: Product, imports: OpenApiImportService, importing: Importing
) -> None:
    import_id = begin(product, imports)
    dead = claim(product, import_id)
    assert dead is not None
    assert await importing.carry_out(product.tenant, import_id) == "", "somebody is at it"
    product.clock.ahead += LEASE_MS + 1
    product.bell.rung.clear()
    product.rescue.sweep()
    assert ("openapi_import", {"tenant_id": product.tenant, "import_id": import_id}) in product.bell.rung
    assert await importing.carry_out(product.tenant, import_id) == "ready"
    assert not REPOSITORY.end(product.tenant, dead, now=product.clock()), "who was taken for dead changes nothing"
    assert imports.get(product.me, import_id).status == "ready"
    assert await importing.carry_out(product.tenant, import_id) == ""
    product.clock.ahead += PLACE_MS
    product.bell.rung.clear()
    product.rescue.sweep()
    assert ("openapi_import", {"tenant_id": product.tenant, "import_id": import_id}) not in product.bell.rung


async def test_what_breaks_off_again_and_again_fails(
    product: Product, imports: OpenApiImportService, importing: Importing
) -> None:
    import_id = begin(product, imports)
    for _ in range(ATTEMPTS):
        assert claim(product, import_id) is not None
        product.clock.ahead += LEASE_MS + 1
    assert await importing.carry_out(product.tenant, import_id) == "failed"
    error = imports.get(product.me, import_id).error
    assert error is not None
    assert error["code"] == "import_broke_off"


async def test_places_are_given_back_and_lost_ones_come_back(
    product: Product, imports: OpenApiImportService, importing: Importing
) -> None:
    began = [begin(product, imports) for _ in range(AT_ONCE)]
    with pytest.raises(TooManyRequests):
        begin(product, imports)
    assert await importing.carry_out(product.tenant, began[0]) == "ready"
    begin(product, imports)
    with pytest.raises(TooManyRequests):
        begin(product, imports)
    product.clock.ahead += PLACE_MS + 1
    begin(product, imports)


async def test_a_hostile_description_makes_no_item_and_no_answer_too_large(
    product: Product, imports: OpenApiImportService, importing: Importing
) -> None:
    scopes = {f"scope{number}": noise(400) for number in range(2_000)}
    flows = {"clientCredentials": {"tokenUrl": "https://x.test/" + noise(9), "scopes": scopes}}
    schemes = {f"s{number}": {"type": "oauth2", "flows": flows} for number in range(9)}
    variables = {"v": {"default": "a", "enum": [noise(300) for _ in range(200)], "description": noise(90_000)}}
    paths: dict[str, Any] = {
        f"/{number}": {"get": {"operationId": noise(3_000), "tags": [noise(2_000)] * 50, "summary": noise(9_000)}}
        for number in range(40)
    }
    paths["/" + "x" * 200_000] = {"get": {"security": [{name: list(scopes) for name in schemes}]}}
    hostile = description(
        paths,
        servers=[{"url": "https://{v}.test", "variables": variables}] * 20,
        components={"securitySchemes": schemes},
        info={"title": noise(200_000), "version": noise(200_000)},
    )
    new = imports.create(product.me, ImportCreate(agent_id=product.agent(), document=hostile), idempotency_key=None)
    await importing.carry_out(product.tenant, new["id"])
    ready = imports.get(product.me, new["id"])
    assert ready.status == "ready", ready.error
    assert len(str(import_view(ready))) < 400_000
    found = REPOSITORY.operations(product.tenant, ready)
    assert len(found) == 41
    assert max(len(str(operation_view(one))) for one in found) < 400_000
    shown, following = imports.page(product.me, ready, limit=100, first=0)
    assert len(str(shown)) < 6_000_000
    assert following is None or 0 < following < 41


def test_what_has_ended_is_gone_before_it_is_deleted(product: Product, imports: OpenApiImportService) -> None:
    import_id = begin(product, imports)
    assert imports.get(product.me, import_id).status == "queued"
    product.clock.ahead += KEPT_MS + 1
    with pytest.raises(NotFound):
        imports.get(product.me, import_id)
