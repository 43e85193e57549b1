"""`python -m local`: serve the application, run one event, or install what serving needs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from local import launchers, packages
from local.example import create_example
from local.guard import origins
from local.intrinsics import TemplateError
from local.lambda_service import UnknownFunction
from local.oidc import OidcError, fetch_token
from local.settings import (
    CLIENT_VARIABLE,
    LOOPBACK,
    PORT,
    Settings,
    auth_required,
    issuer_variables,
    loopback_variables,
    provider_variables,
    token_for,
)
from local.stack import Stack, StartError, read_running
from local.store import StoreError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(options, os.environ)
        return asyncio.run(COMMANDS[options.command](settings, options))
    except (StartError, StoreError, OidcError, TemplateError, UnknownFunction, packages.PackagesError) as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        if options.command != "invoke":
            raise
        print(f"local: {options.event}: {error}", file=sys.stderr)
        return 1


def read_settings(options: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Join options and environment variables; an option wins."""
    defaults = Settings()
    host = options.host or environment.get("HOST") or LOOPBACK
    port = options.port if options.port is not None else _port(environment.get("PORT") or str(PORT))
    artifacts = options.artifacts
    return replace(
        defaults,
        host=host,
        port=port,
        data=Path(options.data).resolve(),
        template=Path(artifacts or ".").resolve() / "template.yaml" if artifacts else Path(options.template).resolve(),
        static=Path(options.static).resolve(),
        artifacts=bool(artifacts),
        model=options.model,
        example=defaults.example if options.example else None,
        runtime=options.runtime,
        spares=options.spares,
        region=environment.get("AWS_REGION") or defaults.region,
        retry_delays=tuple(float(part) for part in options.retry_delays.split(",")),
        allowed_origins=origins(options.allowed_origins or environment.get("ALLOWED_ORIGINS", "")),
        provider_variables=provider_variables(environment),
        function_variables=loopback_variables(environment) | dict(pair.split("=", 1) for pair in options.env),
        token=token_for(host, environment),
        auth=options.auth or auth_required(environment),
        issuer_variables=issuer_variables(environment),
        client_id=environment.get(CLIENT_VARIABLE, ""),
        token_seconds=options.token_seconds,
    )


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise StartError(f"PORT={text} is not a port; give a number up to 65535, 0 for a free one")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, help=f"port to serve on (PORT; default {PORT}; 0 takes a free one)")
    parser.add_argument("--host", help="address to bind to (HOST; default 127.0.0.1); others ask for a token")
    parser.add_argument("--data", default=str(defaults.data), help="folder for the data")
    parser.add_argument("--template", default=str(defaults.template), help="SAM template")
    parser.add_argument("--artifacts", help="folder with a built template.yaml; run what was built, in isolation")
    parser.add_argument("--static", default=str(defaults.static), help="folder of static files")
    parser.add_argument("--runtime", choices=sorted(launchers.LAUNCHERS), default=launchers.DEFAULT)
    parser.add_argument(
        "--spares", type=int, default=defaults.spares, help="environments that stand ready, per function"
    )
    parser.add_argument("--retry-delays", default="2,16", help="seconds before the retries of asynchronous events")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for all functions")
    parser.add_argument("--allowed-origins", help="other origins whose pages may use it (ALLOWED_ORIGINS)")
    parser.add_argument("--no-model", dest="model", action="store_false", help="do not start the embedded model")
    parser.add_argument("--no-example", dest="example", action="store_false", help="do not create the example agent")
    parser.add_argument("--auth", action="store_true", help="ask for signing in, as on AWS (AUTH=required)")
    parser.add_argument(
        "--token-seconds", type=int, default=defaults.token_seconds, help="how long tokens of the local sign-in last"
    )
    commands = parser.add_subparsers(dest="command")
    parser.set_defaults(command="run")
    commands.add_parser("run", help="serve the application (the default)")
    invoke = commands.add_parser("invoke", help="run one event through the Runtime API and print the answer")
    invoke.add_argument("--function", required=True)
    invoke.add_argument("--event", required=True, type=Path)
    commands.add_parser("store", help="run only the store, on a free port; running.json in the data folder tells where")
    token = commands.add_parser("token", help="sign in at the local OIDC server and print the token")
    token.add_argument("subject", help="who signs in")
    token.add_argument("claims", nargs="*", metavar="NAME=VALUE", help="further claims, like tenant=acme role=editor")
    commands.add_parser("setup", help="install the packages of the store and the model now")
    return parser


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Serve until interrupted; the command `store` serves the store alone."""
    began = time.monotonic()
    everything = options.command == "run"
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if not packages.STORE.installed:
        say("Installing the store's packages (once) ...")
    stack = Stack(settings, say)
    start = loop.create_task(stack.start() if everything else stack.start_store())
    try:
        await _first(start, stop)
        if start.done():
            start.result()
            for line in _greeting(stack, time.monotonic() - began) if everything else []:
                say(line)
            extras = loop.create_task(_afterwards(stack)) if everything else None
            await stop.wait()
            if extras is not None:
                extras.cancel()
            say("Stopping ...")
        return 0
    finally:
        if not start.done():
            start.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await start
        await stack.stop()


async def _first(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    stopped = asyncio.get_running_loop().create_task(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


async def _afterwards(stack: Stack) -> None:
    """What may come after the application is served: the first example, and word of the model."""
    settings = stack.settings
    if settings.example is not None and not settings.auth:  # it would belong to nobody
        note = await create_example(settings.example, settings.data, stack.base_url, settings.token)
        if note:
            say(note)
    await stack.model.settled()
    say(f"  Embedded model: {stack.model.state}")


def _greeting(stack: Stack, seconds: float) -> list[str]:
    settings = stack.settings
    keys = ", ".join(settings.providers_with_keys) or "none"
    return [
        *(
            f"note: {message}"
            for message in [*stack.application.warnings, *(stack.store.messages if stack.store else [])]
        ),
        "",
        f"  Ready at {stack.url}   ({seconds:.1f} s)",
        f"  Provider keys:  {keys}",
        f"  Embedded model: {stack.model.state}",
        *_sign_in(stack),
        *_reach(settings),
        f"  Data:           {settings.data}",
        "  Stop:           Ctrl-C",
        "",
    ]


def _reach(settings: Settings) -> list[str]:
    """What agents may call that is not public."""
    lines = ["  Tools:          may call this machine (LOOPBACK_TOOLS=1)"] if settings.loopback_tools else []
    if settings.private_base_urls:
        return [*lines, "  Model servers:  of agents may be on this machine and on private networks (nobody signs in)"]
    if settings.loopback_tools:
        return [*lines, "  Model servers:  of agents may be on this machine (LOOPBACK_TOOLS=1)"]
    return [*lines, "  Model servers:  of agents must be public (LOOPBACK_TOOLS=1 allows this machine)"]


def _sign_in(stack: Stack) -> list[str]:
    if not stack.settings.auth:
        return []
    lines = [f"  Sign-in:        tokens of {stack.settings.issuer_variables['OIDC_ISSUER']}"]
    if stack.oidc is not None:
        lines.append("  A token:        make token SUBJECT=ada, sent as Authorization: Bearer")
    return lines


async def invoke(settings: Settings, options: argparse.Namespace) -> int:
    """Run one event; print the answer to standard output and what the function printed to standard error."""
    payload = options.event.read_bytes()
    json.loads(payload)
    stack = Stack(replace(settings, spares=0, model=False), _to_stderr)
    try:
        await stack.start_functions()
        stack.log.show_all()
        function = stack.functions.find(options.function)
        result = await stack.functions.invoke(function, payload)
    finally:
        await stack.stop()
    print(json.dumps(json.loads(result.payload), indent=2, ensure_ascii=False))
    return 1 if result.error else 0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def setup(settings: Settings, options: argparse.Namespace) -> int:
    """Install what `run` would install on its first start."""
    wanted_here = (packages.STORE, packages.MODEL, *([packages.OIDC] if settings.auth else []))
    for wanted in wanted_here:
        print(await asyncio.to_thread(wanted.install))
    return 0


async def token(settings: Settings, options: argparse.Namespace) -> int:
    """Print a token of the local OIDC server that runs on the data."""
    issuer = (read_running(settings.data) or {}).get("issuer")
    if not issuer:
        raise StartError("nothing here asks for a token; start it with AUTH=required make run")
    claims = dict(pair.split("=", 1) for pair in options.claims)
    print(await asyncio.to_thread(fetch_token, issuer, options.subject, claims))
    return 0


def say(line: str) -> None:
    """Print a line for the person at the terminal."""
    print(line, flush=True)


COMMANDS = {"run": run, "store": run, "invoke": invoke, "setup": setup, "token": token}
