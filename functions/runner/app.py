"""The runner: everything that takes long or needs a secret. Its events carry ids only.

{"kind": "run", "tenant_id", "conversation_id"}                run what waits in a conversation
{"kind": "greet", "tenant_id", "connection_id", "agent_id"}    greet a new connection
{"kind": "purge", "tenant_id", "target_id"}                    carry a deletion out
{"kind": "usage", "tenant_id"}                                 add what ended runs used and no aggregate has yet
{"kind": "trace_export", "tenant_id"}                          send traces of ended runs that have not arrived yet
{"kind": "disconnect", "tenant_id", "subject", "keep"?}        close what a person or key has open
{"kind": "connect", "tenant_id", "consent"}                    get tokens for a consent: {"failure": ""}
{"kind": "mcp_list", "tenant_id", "agent_id", "integration_id"}   what an MCP server offers: {"tools"} or {"failure"}
{"kind": "tool_test", "tenant_id", "agent_id", "version", "tool_id", "arguments", "approved"}    call one tool, once
{"kind": "reseal", "tenant_id"}                                move a tenant's secrets to the key that seals now
{"kind": "openapi_import", "tenant_id", "import_id"}           read a description: {"status"}, "" if others do
{"kind": "rescue"}                                             ring again for what is overdue
{"kind": "provider_status"}                                    which providers have a key: {"configured": [...]}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snapshot_restore_py import register_after_restore, register_before_snapshot

from agent_builder.bootstrap import preload_runner, restore_runner, runner_services
from agent_builder.bootstrap_tools import metrics
from agent_builder.models.identity import Identity
from agent_builder.observability import configure_logging, invocation, logger

_MARGIN_SECONDS = 10.0
_TRACES_SECONDS = 60.0

configure_logging()
register_before_snapshot(preload_runner)
register_after_restore(restore_runner)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry out one ring."""
    kind = str(event.get("kind"))
    ids = {name: event.get(name) for name in ("tenant_id", "conversation_id", "connection_id", "agent_id")}
    with invocation(context, metrics(), kind=kind, **ids):
        handle = _KINDS.get(kind)
        if handle is None:
            logger.error("an unknown kind of ring was ignored")
            return {"ignored": kind}
        return handle(event, context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)


def _run(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    work = services.runner.work(event["tenant_id"], event["conversation_id"], seconds=seconds)
    try:
        services.loop.run(work)
    finally:
        services.loop.run(services.authorization.settle())
        services.loop.run(services.guarded.settle())
    return {}


def _greet(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    identity = Identity(event["tenant_id"], "", event["agent_id"])
    runner_services().greeter.greet(identity, event["connection_id"])
    return {}


def _purge(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    runner_services().purger.carry_out(event["tenant_id"], event["target_id"], seconds=seconds)
    return {}


def _usage(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"added": runner_services().ledger.fold_notes(event["tenant_id"], seconds=seconds)}


def _trace_export(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    sending = services.traces.send_due(event["tenant_id"], seconds=min(seconds, _TRACES_SECONDS))
    return {"sent": services.loop.run(sending)}


def _disconnect(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    closed = services.disconnector.disconnect(event["tenant_id"], event["subject"], keep=event.get("keep") or ())
    return {"closed": closed}


def _connect(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    return {"failure": services.loop.run(services.authorization.connect(event["tenant_id"], event["consent"]))}


def _mcp_list(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    work = services.mcp_offers().offer(event["tenant_id"], event["agent_id"], event["integration_id"])
    try:
        return dict(services.loop.run(work))
    finally:
        services.loop.run(services.authorization.settle())


def _tool_test(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    work = services.tool_tester.carry_out(
        event["tenant_id"],
        event["agent_id"],
        event["version"],
        event["tool_id"],
        event["arguments"],
        approved=event["approved"],
    )
    try:
        return dict(services.loop.run(work))
    finally:
        services.loop.run(services.authorization.settle())


def _reseal(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"resealed": runner_services().secrets.reseal(event["tenant_id"])}


def _openapi_import(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    services = runner_services()
    try:
        return {"status": services.loop.run(services.importing().carry_out(event["tenant_id"], event["import_id"]))}
    finally:
        services.loop.run(services.authorization.settle())


def _rescue(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"rung": runner_services().rescue.sweep()}


def _provider_status(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"configured": runner_services().provider_status.check()}


_KINDS: dict[str, Callable[[dict[str, Any], float], dict[str, Any]]] = {
    "run": _run,
    "greet": _greet,
    "purge": _purge,
    "usage": _usage,
    "trace_export": _trace_export,
    "disconnect": _disconnect,
    "connect": _connect,
    "mcp_list": _mcp_list,
    "tool_test": _tool_test,
    "reseal": _reseal,
    "openapi_import": _openapi_import,
    "rescue": _rescue,
    "provider_status": _provider_status,
}
