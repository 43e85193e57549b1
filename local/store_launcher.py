"""The store's process: DynamoDB on loopback, by the `ministack` package, with data that outlives a kill.

Only that package's DynamoDB module is used, behind the small server of `wire.py`: it binds to loopback, asks for
the access key that was made for this start (the data must not be readable by any page in the user's browser), and
keeps its own journal (`store_journal.py`), since the package itself saves at a clean exit only.

Configured by one JSON object on standard input; see `store.py`, which starts it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from local.lifeline import watch_parent
from local.store_journal import Journal
from local.wire import Answer, Request, json_answer, port_of, serve, signed_by

_READS = frozenset(
    "GetItem BatchGetItem Query Scan TransactGetItems DescribeTable ListTables DescribeTimeToLive DescribeEndpoints "
    "DescribeContinuousBackups DescribeLimits ListTagsOfResource".split()
)
_SNAPSHOT_BYTES = 8 * 1024 * 1024
_SNAPSHOT_SECONDS = 60.0
_SYNC_SECONDS = 0.5


def load_engine() -> Any:
    """Import the package's DynamoDB module without the thread it starts.

    That thread deletes expired items behind our back, so a replayed journal could meet another state than the one it
    was written in; `Store.expire` does the same through the journal. And a process with one thread may fork.
    """
    start = threading.Thread.start

    def start_others(self: threading.Thread) -> None:
        if self.name != "dynamodb-ttl-reaper":
            start(self)

    threading.Thread.start = start_others  # type: ignore[method-assign]
    try:
        from ministack.services import dynamodb  # type: ignore[import-not-found]
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
    return dynamodb


class Store:
    """The engine and its journal. All calls come from one thread."""

    def __init__(self, engine: Any, persistence: Any, journal: Journal) -> None:
        self._engine = engine
        self._persistence = persistence
        self._journal = journal
        self._snapshot_due = 0.0
        self._snapshot_child = 0

    def restore(self) -> list[str]:
        """Bring the data back; return what an operator should know."""
        state, messages = self._journal.load()
        if state is not None:
            self._engine.load_persisted_state(json.loads(state, object_hook=self._persistence._json_object_hook))
        lost = 0
        for operation, body in self._journal.replay():
            status, _, _ = asyncio.run(self._call(operation, body))
            lost += status != 200
        if lost:
            messages.append(f"{lost} journalled writes could not be repeated")
        self.save()
        return messages

    async def request(self, operation: str, body: bytes) -> Answer:
        """Answer one DynamoDB request; a write that succeeded is in the journal before this returns."""
        status, headers, answer = await self._call(operation, body)
        if status == 200 and operation not in _READS:
            self._journal.append(operation, body)
            if not self._snapshot_due:
                self._snapshot_due = time.monotonic() + _SNAPSHOT_SECONDS
        content = answer if isinstance(answer, bytes) else answer.encode()
        return Answer(status, content, {"Content-Type": "application/x-amz-json-1.0", **headers})

    async def expire(self) -> None:
        """Delete the items whose time-to-live has passed, as ordinary journalled writes."""
        for (account, region, name), setting in list(self._engine._ttl_settings.all_items()):
            table = self._engine._tables.get_scoped(account, region, name)
            if table is None or setting.get("TimeToLiveStatus") != "ENABLED":
                continue
            keys = [key["AttributeName"] for key in table["KeySchema"]]
            for item in _expired(table, setting["AttributeName"], time.time()):
                key = {attribute: item[attribute] for attribute in keys}
                await self.request("DeleteItem", json.dumps({"TableName": name, "Key": key}).encode())

    def reset(self) -> None:
        """Empty every table, keeping the tables."""
        for _, table in self._engine._tables.all_items():
            table["items"].clear()
            table.pop(self._engine._INDEX_MEMBERS, None)
            table["ItemCount"] = 0
        self.save()

    def tick(self) -> None:
        """Sync the journal, and begin a snapshot when it is due."""
        self._journal.sync()
        self._reap()
        late = self._snapshot_due and time.monotonic() >= self._snapshot_due
        if not self._snapshot_child and (late or self._journal.size > _SNAPSHOT_BYTES):
            self._snapshot_due = 0.0
            self._journal.open()
            self._snapshot_child = os.fork() or self._save_and_exit()

    def save(self) -> None:
        """Write a snapshot now, in this process."""
        if self._snapshot_child:
            os.waitpid(self._snapshot_child, 0)
            self._snapshot_child = 0
        self._snapshot_due = 0.0
        self._journal.write_snapshot(self._journal.open(), self._state())
        self._journal.prune()

    async def _call(self, operation: str, body: bytes) -> tuple[int, dict[str, str], Any]:
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        answer: tuple[int, dict[str, str], Any] = await self._engine.handle_request("POST", "/", headers, body, {})
        return answer

    def _state(self) -> bytes:
        state = self._engine.get_state()
        return json.dumps(state, default=self._persistence._json_default).encode()

    def _save_and_exit(self) -> int:
        code = 1
        try:
            os.nice(10)
            self._journal.write_snapshot(self._journal.generation, self._state())
            code = 0
        finally:
            os._exit(code)

    def _reap(self) -> None:
        if not self._snapshot_child:
            return
        pid, status = os.waitpid(self._snapshot_child, os.WNOHANG)
        if pid:
            self._snapshot_child = 0
            if status == 0:
                self._journal.prune()
            else:
                print("ERROR snapshot failed; the journal goes on", file=sys.stderr, flush=True)


def _expired(table: dict[str, Any], attribute: str, now: float) -> list[dict[str, Any]]:
    items = (item for by_sort_key in table["items"].values() for item in by_sort_key.values())
    return [item for item in items if 0 < float(item.get(attribute, {}).get("N", 0)) <= now]


async def _every(seconds: float, action: Any) -> None:
    while True:
        await asyncio.sleep(seconds)
        result = action()
        if result is not None:
            await result


def _handler(store: Store, access_key: str) -> Any:
    async def handle(request: Request) -> Answer:
        if not signed_by(request, access_key):
            refused = {
                "__type": "UnrecognizedClientException",
                "message": "The access key is not the one of this store.",
            }
            return json_answer(400, refused)
        if request.path == "/_local/reset":
            store.reset()
            return json_answer(200, {})
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        return await store.request(operation, request.body)

    return handle


async def _run(store: Store, config: dict[str, Any]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch_parent(config["parent"], stop.set, loop)
    server = await serve(_handler(store, config["access_key"]))
    print(json.dumps({"port": port_of(server), "messages": config["messages"]}), flush=True)
    timers = [
        loop.create_task(_every(_SYNC_SECONDS, store.tick)),
        loop.create_task(_every(config["expiry_seconds"], store.expire)),
    ]
    await stop.wait()
    for timer in timers:
        timer.cancel()
    server.close()
    store.save()


def main() -> None:
    """Read the configuration, bring the data back, serve until told to stop."""
    config = json.loads(sys.stdin.readline())
    os.environ["MINISTACK_REGION"] = config["region"]
    sys.path.insert(0, config["packages"])
    engine = load_engine()
    from ministack.core import persistence  # type: ignore[import-not-found]

    folder = Path(config["folder"])
    journal = Journal(folder)
    with (folder / "lock").open("a") as lock:
        # The store of an instance that was killed may still be saving.
        fcntl.flock(lock, fcntl.LOCK_EX)
        _serve(config, Store(engine, persistence, journal))


def _serve(config: dict[str, Any], store: Store) -> None:
    config["messages"] = store.restore()
    asyncio.run(_run(store, config))
