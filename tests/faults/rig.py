"""The rig: the laptop runtime with the real handlers, and the proxy, the model and the effects around it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from local.packages import PROJECT
from local.testing import Instance, running_stack, running_store
from tests.faults.effects import Effects
from tests.faults.faults import Plan
from tests.faults.history import History
from tests.faults.processes import children_of, kill
from tests.faults.proxy import CONNECTIONS, LAMBDA, STORE, Proxy, Upstream
from tests.faults.vendor import Vendor
from tests.integration.rest import Rest

TENANT = "local"
HANDLER = "tests.faults.runner_app.lambda_handler"
PRODUCT_HANDLER = "functions.runner.app.lambda_handler"
MANY = 1_000


@dataclass(frozen=True)
class Options:
    """How a rig is set up.

    Attributes:
        retry_delays: Seconds before the retries of a failed asynchronous event; AWS waits one and two minutes.
        rescue_seconds: How often the rescue is invoked, beside the schedule's once a minute.
        timeout: The runner's time limit in seconds.
        skew_ms: How far its clocks are off, in both directions.
    """

    retry_delays: str
    rescue_seconds: float
    timeout: int = 900
    skew_ms: int = 0


@dataclass
class Rig:
    """Everything of one campaign."""

    options: Options
    history: History
    plan: Plan = field(default_factory=Plan)
    agent: str = ""

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.plan, self.history)
        self.vendor = Vendor(self.history, self.plan.runners)
        self.effects = Effects(self.history)
        self.stack: Instance
        self.store: Instance

    def reach_store(self) -> None:
        """Lead the functions to the store as it runs now."""
        self.proxy.upstreams[STORE] = Upstream(self.store.running["store_url"], self.store.running["access_key"])

    def items(self) -> list[dict[str, Any]]:
        """All that the store holds, read past the product."""
        client = boto3.client("dynamodb", **self.store.client_options("dynamodb"))
        pages = client.get_paginator("scan").paginate(TableName=self.store.table_name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    async def kill_store(self) -> None:
        """Kill the process that holds the data, and start another on what it left."""
        assert self.store.process
        children = children_of(self.store.process.pid)
        self.history.write("fault", case="*", fault="kill the data process", action="kill", point="store")
        for child in children:
            kill(child)
        await asyncio.to_thread(self.store.kill)
        await asyncio.to_thread(self.store.start)
        self.reach_store()
        self.history.write("store.back")

    async def rescue(self) -> None:
        """Invoke the rescue again and again, as the schedule does."""
        while True:
            await asyncio.sleep(self.options.rescue_seconds)
            await asyncio.to_thread(self.invoke, {"kind": "rescue"})

    def invoke(self, event: dict[str, Any]) -> None:
        """Invoke the runner asynchronously."""
        client = boto3.client("lambda", **self.stack.client_options("lambda"))
        client.invoke(FunctionName="RunnerFunction", InvocationType="Event", Payload=json.dumps(event).encode())


def template(folder: Path, options: Options) -> Path:
    """A copy of the template that names the campaign's runner, beside links to what it refers to."""
    for name in ("functions", "shared", "layers", "scripts"):
        (folder / name).symlink_to(PROJECT / name)
    text = (PROJECT / "template.yaml").read_text("utf-8")
    assert text.count(PRODUCT_HANDLER) == 1
    text = text.replace(PRODUCT_HANDLER, HANDLER)
    head, runner, rest = text.partition('      FunctionName: !Sub "${AWS::StackName}-runner"\n')
    assert runner
    assert "      Timeout: 900\n" in rest
    rest = rest.replace("      Timeout: 900\n", f"      Timeout: {options.timeout}\n", 1)
    for name in ("authorizer", "api", "playground", "runner"):
        own = f"          POWERTOOLS_SERVICE_NAME: {name}\n"
        assert own in head + rest
        head, rest = (part.replace(own, f"{own}          AWS_SDK_UA_APP_ID: {name}\n") for part in (head, rest))
    path = folder / "template.yaml"
    path.write_text(head + runner + rest, "utf-8")
    return path


@contextlib.asynccontextmanager
async def running_rig(options: Options, history: History) -> AsyncIterator[Rig]:
    """Start everything, with one agent; stop it all at the end."""
    rig = Rig(options, history)
    async with contextlib.AsyncExitStack() as closing:
        for part in (rig.proxy, rig.vendor, rig.effects):
            await part.start()
            closing.push_async_callback(part.stop)
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        await _start_stack(rig, folder, closing)
        rescue = asyncio.create_task(rig.rescue())
        closing.callback(rescue.cancel)
        rig.agent = await asyncio.to_thread(_prepare, rig)
        yield rig


async def _start_stack(rig: Rig, folder: Path, closing: contextlib.AsyncExitStack) -> None:
    variables = {
        **rig.proxy.environment("live"),
        "FAULTS_EFFECTS_URL": f"http://127.0.0.1:{rig.effects.port}",
        "FAULTS_SKEW_MS": str(rig.options.skew_ms),
    }
    arguments = ["--template", str(template(folder, rig.options)), "--retry-delays", rig.options.retry_delays]
    stack = running_stack(env=variables, arguments=arguments)
    rig.store = await _enter(closing, running_store())
    rig.stack = await _enter(closing, stack)
    assert rig.stack.running["stage"] == "live"
    rig.reach_store()
    rig.proxy.upstreams[LAMBDA] = Upstream(rig.stack.internal_url)
    rig.proxy.upstreams[CONNECTIONS] = Upstream(rig.stack.internal_url)


async def _enter(closing: contextlib.AsyncExitStack, manager: contextlib.AbstractContextManager[Instance]) -> Instance:
    """Enter in a thread: the proxy has to answer meanwhile."""
    instance = await asyncio.to_thread(manager.__enter__)

    async def leave() -> None:
        await asyncio.to_thread(manager.__exit__, None, None, None)

    closing.push_async_callback(leave)
    return instance


def _prepare(rig: Rig) -> str:
    """Make the agent, and lift the limits that a campaign would meet."""
    rest = Rest(rig.stack.url)
    limits = {name: 3 * MANY if "minute" in name else MANY for name in rest("GET", "/api/v1/limits").json}
    assert rest("PATCH", "/api/v1/limits", limits).status == 200
    model = {"provider": "openai_compatible", "model": "faults", "base_url": rig.vendor.base_url}
    return str(rest.create(model_config=model)["id"])
