"""For tests: the whole laptop runtime, or only its store, as a subprocess on data of its own.

    from local.testing import running_stack, running_store

    with running_stack(env={"OPENAI_BASE_URL": mock.url, "OPENAI_API_KEY": "k"}) as stack:
        requests.get(stack.url + "/api/v1/health")
        websockets.sync.client.connect(stack.ws_url("agt_1"))
        boto3.client("dynamodb", **stack.client_options("dynamodb"))   # the same store, for looking inside
        stack.restart()      # clean stop and start on the same data (a new port unless port= was given)
        stack.kill()         # SIGKILL; stack.start() brings it back
        print(stack.output(), stack.function_log())

    with running_store() as store:                # 0.5 s; the tables of template.yaml are in it
        os.environ.update(store.environment)      # AWS_ENDPOINT_URL_DYNAMODB, TABLE_NAME, credentials, region
        store.reset()                             # empties the tables, about 5 ms

`env` goes to the environment of every function, whether or not it uses the secret; vendors' variables of the machine
(keys, base URLs) are removed first, so that a test cannot reach a real provider. The embedded model is off unless
`model=True`, the example agent unless `example=True`. Nobody has to sign in unless `auth=True`: then the template's
authorizer decides, and `stack.token("ada", tenant="acme", role="editor")` signs somebody in. A start takes about a
second; both context managers remove their data at the end. A fixture may keep one for a whole session: let each test
use ids of its own, or call `reset()`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.oidc import fetch_token
from local.packages import PROJECT
from local.settings import (
    BASE_URL_VARIABLES,
    CLIENT_VARIABLE,
    ISSUER_VARIABLES,
    KEY_VARIABLES,
    LOOPBACK_VARIABLE,
    TRACING_VARIABLES,
)
from local.stack import RUNNING

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class Instance:
    """A subprocess of the runtime on one data folder. `running` is what it wrote about itself (see `stack.py`)."""

    def __init__(self, data_dir: Path, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self._arguments = arguments
        self._env = env
        self._output = data_dir.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None
        self.running: dict[str, Any] = {}

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError with its output when it does not."""
        command = [sys.executable, "-m", "local", "--data", str(self.data_dir), *self._arguments]
        (self.data_dir / RUNNING).unlink(missing_ok=True)
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(command, cwd=PROJECT, env=dict(self._env), stdout=output, stderr=output)
        deadline = time.monotonic() + _START_SECONDS
        while not (self.data_dir / RUNNING).exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the runtime did not start:\n{self.output()}")
            time.sleep(0.01)
        self.running = json.loads((self.data_dir / RUNNING).read_text())

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill it with SIGKILL, as a crash would; its own children end by themselves."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Stop it and start it again on the same data."""
        self.stop()
        self.start()

    def output(self) -> str:
        """Return what it printed."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def function_log(self) -> str:
        """Return what the functions printed."""
        path = self.data_dir / "logs" / "functions.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logged(self, words: str, *, since: int = 0) -> list[str]:
        """Return the lines that the functions printed with `words` in them, after so many characters of the log."""
        return [line for line in self.function_log()[since:].splitlines() if words in line]

    @property
    def url(self) -> str:
        """The base address of the public port, without a slash at the end."""
        return str(self.running["url"])

    @property
    def internal_url(self) -> str:
        """The base address of the Lambda and @connections interfaces."""
        return str(self.running["aws_url"])

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which an AWS client or product code of this process reaches the store and the interfaces."""
        aws = self.running["aws_url"]
        interfaces = {
            "AWS_ENDPOINT_URL_LAMBDA": aws,
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"{aws}/{self.running['stage']}",
        }
        return {
            **(interfaces if aws else {}),
            "AWS_ENDPOINT_URL_DYNAMODB": self.running["store_url"],
            "AWS_ACCESS_KEY_ID": self.running["access_key"],
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": self.running["region"],
            "AWS_REGION": self.running["region"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "TABLE_NAME": self.table_name,
        }

    @property
    def table_name(self) -> str:
        """The name of the template's first table."""
        return str(self.running["tables"][0])

    def client_options(self, service: str) -> dict[str, str]:
        """Return what `boto3.client(service, **options)` needs: dynamodb, lambda or apigatewaymanagementapi."""
        return {
            "endpoint_url": self.environment[f"AWS_ENDPOINT_URL_{service.upper()}"],
            "region_name": self.running["region"],
            "aws_access_key_id": self.running["access_key"],
            "aws_secret_access_key": "local",
        }

    def ws_url(self, value: str, path: str = "/api/v1/playground/") -> str:
        """Return the WebSocket address of an agent (or of another path with one parameter)."""
        return self.url.replace("http", "ws", 1) + path + value

    def token(self, subject: str, **claims: Any) -> str:
        """Return a token of the local OIDC server (`auth=True`), with further claims such as tenant and role."""
        return fetch_token(self.running["issuer"], subject, claims)

    def reset(self) -> None:
        """Empty all tables. Connections and running functions are left alone."""
        headers = {"Authorization": f"Credential={self.running['access_key']}/"}
        url = f"{self.running['store_url']}/_local/reset"
        urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=10).read()  # noqa: S310 - loopback


@contextlib.contextmanager
def running_stack(
    *,
    env: Mapping[str, str] | None = None,
    providers: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    model: bool = False,
    example: bool = False,
    auth: bool = False,
    port: int = 0,
    data_dir: Path | None = None,
) -> Iterator[Instance]:
    """Run the whole runtime.

    `arguments` are further options of `python -m local`; `env` are variables for all functions; `providers` are
    vendors' variables, given as a user gives them. A `data_dir` that is given is kept.
    """
    options = ["--port", str(port), *arguments]
    options += ["--auth"] if auth else []
    options += [] if model else ["--no-model"]
    options += [] if example else ["--no-example"]
    for name, value in (env or {}).items():
        options += ["--env", f"{name}={value}"]
    with _instance(options, data_dir, providers) as instance:
        yield instance


@contextlib.contextmanager
def running_store(*, template: Path | None = None, data_dir: Path | None = None) -> Iterator[Instance]:
    """Run the store alone, with the tables of the template (by default the project's) in it."""
    options = ["--no-model", *(["--template", str(template)] if template else []), "store"]
    with _instance(options, data_dir) as instance:
        yield instance


@contextlib.contextmanager
def _instance(
    options: Sequence[str], data_dir: Path | None, variables: Mapping[str, str] | None = None
) -> Iterator[Instance]:
    folder = Path(tempfile.mkdtemp(prefix="local-"))
    instance = Instance(data_dir or folder / "data", options, {**_clean_environment(), **(variables or {})})
    try:
        instance.start()
        yield instance
    finally:
        if instance.process is not None and instance.process.poll() is None:
            instance.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _clean_environment() -> dict[str, str]:
    dropped = {
        *KEY_VARIABLES,
        *BASE_URL_VARIABLES,
        *TRACING_VARIABLES,
        "PORT",
        "HOST",
        "ALLOWED_ORIGINS",
        "LOCAL_TOKEN",
        "PYTHONPATH",
        "AUTH",
        LOOPBACK_VARIABLE,
        *ISSUER_VARIABLES,
        CLIENT_VARIABLE,
    }
    return {name: value for name, value in os.environ.items() if name not in dropped and not name.startswith("AWS_")}
