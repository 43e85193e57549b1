"""The store as the rest of the runtime sees it: a process with an endpoint, and the tables of the template in it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from local import packages
from local.template import Table

_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from local.store_launcher import main; del sys.path[0]; main()"


class StoreError(Exception):
    """The store did not start or refused a table. For the operator."""


@dataclass
class Store:
    """A running store: its endpoint, and what it said about the data when it started."""

    process: asyncio.subprocess.Process
    endpoint: str
    access_key: str
    messages: list[str]

    async def create_tables(self, tables: Sequence[Table], region: str) -> None:
        """Create each table as the template has it; one that is there with all its indexes is left alone."""
        async with aiohttp.ClientSession() as session:
            client = TableClient(session, self.endpoint, self.access_key, region)
            for table in tables:
                await client.ensure(table)

    async def stop(self) -> None:
        """Ask the store to save and end; wait for it."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


async def start_store(folder: Path, access_key: str, region: str, log: Path, expiry_seconds: float = 60.0) -> Store:
    """Start the store's process on the data in `folder`; return when it answers. Raises StoreError."""
    target = await asyncio.to_thread(packages.STORE.install)
    config = {
        "folder": str(folder),
        "packages": str(target),
        "access_key": access_key,
        "region": region,
        "expiry_seconds": expiry_seconds,
        "parent": os.getpid(),
    }
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-S", "-c", _BOOT, str(packages.PROJECT)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(config).encode() + b"\n")
    process.stdin.close()
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
        ready = json.loads(line)
    except (TimeoutError, ValueError) as error:
        if process.returncode is None:
            process.kill()
        raise StoreError(f"the store did not start; see {log}") from error
    return Store(process, f"http://127.0.0.1:{ready['port']}", access_key, ready["messages"])


class TableClient:
    """The few table operations of the DynamoDB interface, without an SDK."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, access_key: str, region: str) -> None:
        self._session = session
        self._endpoint = endpoint
        self._authorization = f"AWS4-HMAC-SHA256 Credential={access_key}/20200101/{region}/dynamodb/aws4_request"

    async def ensure(self, table: Table) -> None:
        """Create the table, or add the indexes and the time-to-live it lacks."""
        status, found = await self.call("DescribeTable", {"TableName": table.name})
        if status != 200:
            await self._must("CreateTable", table.definition)
        else:
            await self._add_indexes(table, found["Table"])
        if table.ttl_attribute:
            await self._enable_ttl(table.name, table.ttl_attribute)

    async def call(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one request; return its HTTP status and decoded body."""
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        async with self._session.post(self._endpoint, data=json.dumps(body), headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def _add_indexes(self, table: Table, found: dict[str, Any]) -> None:
        present = {index["IndexName"] for index in found.get("GlobalSecondaryIndexes", [])}
        for index in table.definition.get("GlobalSecondaryIndexes", []):
            if index["IndexName"] not in present:
                body = {
                    "TableName": table.name,
                    "AttributeDefinitions": table.definition["AttributeDefinitions"],
                    "GlobalSecondaryIndexUpdates": [{"Create": index}],
                }
                await self._must("UpdateTable", body)

    async def _enable_ttl(self, name: str, attribute: str) -> None:
        _, found = await self.call("DescribeTimeToLive", {"TableName": name})
        if found.get("TimeToLiveDescription", {}).get("TimeToLiveStatus") != "ENABLED":
            wanted = {"Enabled": True, "AttributeName": attribute}
            await self._must("UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": wanted})

    async def _must(self, operation: str, body: dict[str, Any]) -> None:
        status, answer = await self.call(operation, body)
        if status != 200:
            raise StoreError(f"{operation} {body['TableName']}: {answer.get('message') or answer.get('Message')}")
