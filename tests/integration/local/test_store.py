"""The store's process: what the package's private parts are used for still works with the locked version of it."""

import asyncio
import json
import time

import aiohttp
import pytest

from local.store import TableClient, start_store
from local.template import load
from local.testing import running_store
from tests.integration.local.conftest import SAMPLE, client

TEMPLATE = SAMPLE / "template.yaml"


@pytest.fixture(scope="module")
def store():
    with running_store(template=TEMPLATE) as running:
        yield running


@pytest.fixture
def dynamodb(store):
    store.reset()
    return client(store, "dynamodb")


def put(dynamodb, store, pk, **fields):
    dynamodb.put_item(TableName=store.table_name, Item={"pk": {"S": pk}, "group": {"S": "g"}, **fields})


def by_group(dynamodb, store):
    return dynamodb.query(
        TableName=store.table_name,
        IndexName="by_group",
        KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"},
        ExpressionAttributeValues={":g": {"S": "g"}},
    )["Count"]


def test_reset_empties_tables_and_indexes(dynamodb, store):
    put(dynamodb, store, "a")
    assert by_group(dynamodb, store) == 1
    store.reset()
    assert by_group(dynamodb, store) == 0
    put(dynamodb, store, "b")
    assert by_group(dynamodb, store) == 1


def test_conditions_and_transactions(dynamodb, store):
    def put_once(pk):
        item = {"pk": {"S": pk}}
        return {"Put": {"TableName": store.table_name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    dynamodb.transact_write_items(TransactItems=[put_once("a"), put_once("b")])
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as refused:
        dynamodb.transact_write_items(TransactItems=[put_once("c"), put_once("b")])
    codes = [reason["Code"] for reason in refused.value.response["CancellationReasons"]]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert dynamodb.scan(TableName=store.table_name)["Count"] == 2


def test_a_token_makes_a_transaction_happen_once(dynamodb, store):
    write = {"Update": {"TableName": store.table_name, "Key": {"pk": {"S": "n"}}, "UpdateExpression": "ADD n :one"}}
    write["Update"]["ExpressionAttributeValues"] = {":one": {"N": "1"}}
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=[write], ClientRequestToken="once")
    assert dynamodb.get_item(TableName=store.table_name, Key={"pk": {"S": "n"}})["Item"]["n"] == {"N": "1"}


def test_other_keys_are_refused(store):
    import boto3

    stranger = boto3.client("dynamodb", **(store.client_options("dynamodb") | {"aws_access_key_id": "AKIAEXAMPLE"}))
    with pytest.raises(stranger.exceptions.ClientError, match="UnrecognizedClientException"):
        stranger.list_tables()


async def test_expired_items_go_for_good(tmp_path):
    [table] = load(TEMPLATE, "us-east-1").tables

    async def run(work):
        store = await start_store(tmp_path / "store", "KEY", "us-east-1", tmp_path / "log", expiry_seconds=0.05)
        try:
            await store.create_tables([table], "us-east-1")
            async with aiohttp.ClientSession() as session:
                return await work(TableClient(session, store.endpoint, "KEY", "us-east-1"))
        finally:
            store.process.kill()
            await store.process.wait()

    async def names(dynamodb):
        _, found = await dynamodb.call("Scan", {"TableName": table.name})
        return sorted(item["pk"]["S"] for item in found["Items"])

    async def write(dynamodb):
        now = int(time.time())
        for pk, ttl in {"past": {"N": str(now - 5)}, "future": {"N": str(now + 500)}, "odd": {"S": "soon"}}.items():
            await dynamodb.call("PutItem", {"TableName": table.name, "Item": {"pk": {"S": pk}, "expires_at": ttl}})
        async with asyncio.timeout(10):
            while True:
                if "past" not in await names(dynamodb):
                    break
                await asyncio.sleep(0.02)
        again = {
            "TableName": table.name,
            "Item": {"pk": {"S": "past"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        status, _ = await dynamodb.call("PutItem", again)
        assert status == 200
        return await names(dynamodb)

    assert await run(write) == ["future", "odd", "past"]
    assert await run(names) == ["future", "odd", "past"]
    assert "could not be repeated" not in (tmp_path / "log").read_text()


def test_a_large_table_is_saved_while_it_is_written(store, dynamodb):
    """Nine megabytes of journal begin a snapshot in a child; writes go on, and the files of old generations go."""
    item = {"pk": {"S": "big"}, "text": {"S": "x" * 300_000}}
    for number in range(40):
        dynamodb.put_item(TableName=store.table_name, Item={**item, "pk": {"S": f"big{number}"}})
    store.kill()
    store.start()
    assert client(store, "dynamodb").scan(TableName=store.table_name, Select="COUNT")["Count"] <= 40
    pages = client(store, "dynamodb").get_paginator("scan").paginate(TableName=store.table_name)
    assert sum(page["Count"] for page in pages) == 40
    assert json.loads((store.data_dir / "running.json").read_text())["tables"] == [store.table_name]
