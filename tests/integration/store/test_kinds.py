"""Work and leftovers are found whatever their kind: a process knows the kinds only that it has imported."""

from __future__ import annotations

from typing import Any

from agent_builder.ids import new_id
from agent_builder.repositories import keys
from agent_builder.repositories.purges import PurgeRepository
from agent_builder.repositories.table import Item
from tests.integration.store.product import Product, everything
from tests.template import read


def put(pk: str, sk: str, **more: dict[str, str]) -> None:
    """An item of a kind that nothing here has imported."""
    item = {"pk": {"S": pk}, "sk": {"S": sk}, "kind": {"S": "not_imported_here"}, **more}
    Item._get_connection().connection.client.put_item(TableName=Item.Meta.table_name, Item=item)


def test_the_rescue_finds_work_of_every_kind(product: Product) -> None:
    import_id = new_id("imp")
    pk = keys.openapi_import(product.tenant, import_id)
    put(pk, keys.HEAD, due_pk={"S": keys.due(pk)}, due_at={"N": str(product.clock() - 1)})
    product.rescue.sweep()
    assert ("openapi_import", {"tenant_id": product.tenant, "import_id": import_id}) in product.bell.rung


def test_a_partition_is_emptied_of_every_kind(product: Product) -> None:
    pk = keys.conversation(product.tenant, new_id("cnv"))
    for number in range(3):
        put(pk, f"X#{number}")
    assert PurgeRepository().empty(pk) == 3
    assert everything(product.tenant) == []


def test_children_are_found_whatever_they_are(product: Product) -> None:
    agent_id, import_id = new_id("agt"), new_id("imp")
    parent = {"parent_pk": {"S": keys.agent_imports(product.tenant, agent_id)}, "parent_sk": {"S": import_id}}
    pk = keys.openapi_import(product.tenant, import_id)
    put(pk, keys.HEAD, **parent)
    assert [keys.id_of(found) for found in map(str, PurgeRepository().imports(product.tenant, agent_id))] == [import_id]


def test_the_index_of_due_work_is_asked_for_what_it_holds(product: Product) -> None:
    """It holds keys only: on AWS a filter on anything else, as on the kind, would let nothing through."""
    (index,) = (
        one for one in read()["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"] if one["IndexName"] == "due"
    )
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    held = {"pk", "sk"} | {key["AttributeName"] for key in index["KeySchema"]}
    asked: list[dict[str, Any]] = []
    events = Item._get_connection().connection.client.meta.events

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params)

    events.register("provide-client-params.dynamodb.Query", note)
    try:
        product.rescue.sweep()
    finally:
        events.unregister("provide-client-params.dynamodb.Query", note)
    assert len(asked) == keys.DUE_SHARDS
    for params in asked:
        assert "FilterExpression" not in params
        assert set(params["ExpressionAttributeNames"].values()) <= held
