"""Stands between the functions and AWS: every call goes through it, is named, written down, and may be struck.

It knows nothing of the product but its keys. One listener for each service, since each has its own address variable.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from tests.faults import processes
from tests.faults.faults import DOUBLE, DROP, HOLD, KILL, LOSE, PAUSE, REFUSE, Fault, Plan, refusal
from tests.faults.history import History
from tests.faults.points import READS, fence_of, point_of_invoke, point_of_post, point_of_store, steps_of

_MARK = re.compile(r"\[\[(\w+)\.(\d+)\]\]")
_ID = re.compile(r"\b(?:cnv|run)_[0-9A-Za-z]{26}\b")
_APP = re.compile(r"\bapp/(\w+)(?:\.(\d+))?")
_CREDENTIAL = re.compile(r"Credential=[^/]+/")
_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive", "accept-encoding"})

STORE, LAMBDA, CONNECTIONS = "store", "lambda", "connections"


@dataclass
class Upstream:
    """Where a service really is, and the access key that it asks for."""

    url: str
    access_key: str = ""


@dataclass
class Call:
    """One call of a function."""

    service: str
    function: str
    point: str
    case: str
    message: str
    operation: str
    body: dict[str, Any]
    ports: processes.Ports
    conversation: str
    run: str
    process: int


class Dropped(Exception):
    """The connection was cut instead of an answer."""


class Proxy:
    """Forwards, and strikes where the plan says so."""

    def __init__(self, plan: Plan, history: History) -> None:
        self.plan = plan
        self.history = history
        self.upstreams: dict[str, Upstream] = {}
        self.ports: dict[str, int] = {}
        self._runners: list[web.ServerRunner] = []
        self._session: aiohttp.ClientSession | None = None
        self._order: dict[str, asyncio.Lock] = {}
        self._late: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen on a port for each service."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60), timeout=aiohttp.ClientTimeout(total=120)
        )
        for service in (STORE, LAMBDA, CONNECTIONS):
            runner = web.ServerRunner(web.Server(self._handler(service)), shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self._runners.append(runner)
            self.ports[service] = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        for task in tuple(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        for runner in self._runners:
            await runner.cleanup()
        if self._session:
            await self._session.close()

    def environment(self, stage: str) -> dict[str, str]:
        """Variables that lead a function's AWS clients here."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{self.ports[STORE]}",
            "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{self.ports[LAMBDA]}",
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"http://127.0.0.1:{self.ports[CONNECTIONS]}/{stage}",
        }

    def _handler(self, service: str) -> Any:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            call = self._understand(service, request, body)
            fault = self.plan.strike(call.case, call.point, call.function)
            try:
                status, headers, answer = await self._carry_out(call, fault, request, body)
            except (Dropped, aiohttp.ClientError) as cut:
                self.history.write("cut", case=call.case, message=call.message, point=call.point, by=type(cut).__name__)
                if request.transport:
                    request.transport.abort()
                return web.Response(status=500)
            return web.Response(status=status, headers=headers, body=answer)

        return handle

    def _note(self, call: Call, answer: tuple[int, dict[str, str], bytes]) -> None:
        """Write down what was carried out; what was only read is not of interest."""
        if call.operation in READS:
            return
        status = answer[0]
        about: dict[str, Any] = {"point": call.point, "function": call.function, "status": status}
        if call.service == STORE:
            fence = _new_fence(answer[2]) if call.point == "claim" and status == 200 else fence_of(call.body)
            about |= {"fence": fence} if fence else {}
            about |= {"process": call.process} if call.process else {}
            steps = steps_of(call.operation, call.body)
            about |= {"steps": steps} if steps else {}
            about |= {"codes": _codes(answer[2])} if status != 200 else {}
            about |= {"token": call.body["ClientRequestToken"]} if "ClientRequestToken" in call.body else {}
        ids = {name: value for name, value in (("conversation", call.conversation), ("run", call.run)) if value}
        self.history.write("call", case=call.case, message=call.message, **about, **ids)

    def _understand(self, service: str, request: web.BaseRequest, body: bytes) -> Call:
        text = body.decode("utf-8", "replace")
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            parsed = json.loads(text) if text else {}
        except ValueError:
            parsed = {}
        if service == STORE:
            point = point_of_store(operation, parsed)
        elif service == LAMBDA:
            point = point_of_invoke(parsed)
        else:
            point = point_of_post(request.method, body)
        case, message = self._owner(text, point)
        ids = _ID.findall(text)
        conversation, run = (next((found for found in ids if found.startswith(kind)), "") for kind in ("cnv", "run"))
        app = _APP.search(request.headers.get("User-Agent", ""))
        ports = processes.ports(request.transport)
        function, process = (app[1], int(app[2] or 0)) if app else ("", 0)
        if process:
            self.plan.runners.add(process)
        return Call(service, function, point, case, message, operation, parsed, ports, conversation, run, process)

    def _owner(self, text: str, point: str) -> tuple[str, str]:
        """The case of a call and the number of its message, where a run says which."""
        ids, owners = _ID.findall(text), self.plan.owners
        mark = _MARK.search(text) if point == "accept" else None
        if mark:
            for found in ids:
                owners.setdefault(found, mark[1] if found.startswith("cnv") else f"{mark[1]}.{mark[2]}")
        known = [owners[found] for found in ids if found in owners]
        run = next((owner for owner in known if "." in owner), "")
        case = run.partition(".")[0] or next(iter(known), "*")
        return case, run.partition(".")[2]

    async def _carry_out(
        self, call: Call, fault: Fault | None, request: web.BaseRequest, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if fault and fault.when == "before":
            made_up = await self._strike(call, fault, request, body)
            if made_up:
                return made_up
        async with self._order.setdefault(call.conversation, asyncio.Lock()):
            answer = await self._forward(call.service, request, body)
            self._note(call, answer)
        if fault and fault.when == "after":
            return await self._strike(call, fault, request, body) or answer
        return answer

    async def _strike(
        self, call: Call, fault: Fault, request: web.BaseRequest, body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Carry a fault out; an answer where it makes one up."""
        about = {"point": call.point, "function": call.function, "fault": fault.name, "action": fault.action}
        entry = self.history.write("fault", case=call.case, message=call.message, **about)
        if fault.action in (KILL, PAUSE):
            entry["pid"] = call.process or await asyncio.to_thread(processes.pid_of_peer, call.ports)
        if fault.action == KILL:
            entry["struck"] = bool(entry["pid"]) and processes.kill(entry["pid"])
            raise Dropped
        if fault.action == PAUSE:
            await self._pause(entry, fault.seconds)
        elif fault.action == DROP:
            raise Dropped
        elif fault.action == HOLD:
            await asyncio.sleep(fault.seconds)
        elif fault.action == REFUSE:
            return refusal(fault.code, call.operation, call.body)
        elif fault.action == LOSE:
            return 202, {}, b""
        elif fault.action == DOUBLE:
            self._later(self._again(call.service, request, body, fault.seconds))
        return None

    async def _pause(self, entry: dict[str, Any], seconds: float) -> None:
        pid = entry["pid"]
        entry["struck"] = bool(pid) and processes.pause(pid)
        await asyncio.sleep(seconds)
        if entry["struck"]:
            processes.wake(pid)

    async def _again(self, service: str, request: web.BaseRequest, body: bytes, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._forward(service, request, body)

    def _later(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _forward(self, service: str, request: web.BaseRequest, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = self.upstreams[service]
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if upstream.access_key:
            known = f"Credential={upstream.access_key}/"
            headers["Authorization"] = _CREDENTIAL.sub(known, headers.get("Authorization", ""))
        assert self._session
        url = URL(upstream.url + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {
                name: value for name, value in answer.headers.items() if name.lower() not in _HOP | {"date", "server"}
            }
            return answer.status, kept, await answer.read()


def _codes(answer: bytes) -> str:
    """What a refusal of the store says."""
    try:
        told = json.loads(answer)
    except ValueError:
        return ""
    reasons = [str(reason.get("Code")) for reason in told.get("CancellationReasons", [])]
    kind = str(told.get("__type", "")).rpartition("#")[2]
    return f"{kind} {reasons}" if reasons else kind


def _new_fence(answer: bytes) -> int | None:
    """The fence that a claim was given."""
    return int(json.loads(answer).get("Attributes", {}).get("fence", {}).get("N", 0)) or None
