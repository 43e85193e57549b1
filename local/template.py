"""What the laptop runtime needs to know of a SAM template, as plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from local.intrinsics import NO_VALUE, Resolver, TemplateError, parse

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_TABLE_KEYS = ("TableName", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


@dataclass(frozen=True)
class Schedule:
    """One schedule event of a function: every so many seconds, this JSON text as the event."""

    seconds: float
    input: str


@dataclass(frozen=True)
class Function:
    """One AWS::Serverless::Function.

    `path` is what stands for /var/task and the layers, first to last; `watched` are the folders with its source.
    """

    logical_id: str
    name: str
    arn: str
    alias: str | None
    handler: str
    path: tuple[Path, ...]
    watched: tuple[Path, ...]
    timeout: float
    memory: int
    environment: dict[str, str]
    uses_secret: bool
    key_variables: tuple[str, ...]
    retries: int
    max_event_age: float
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True)
class Authorizer:
    """A function that decides who may use a route: its logical id, the headers without which it is not even asked.

    `ttl` is for how many seconds API Gateway keeps its answer.
    """

    function: str
    headers: tuple[str, ...] = ()
    ttl: float = 0.0


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API: method (or ANY), path (`/a/{b}`, `/a/{proxy+}`, or `$default`), function's logical id.

    `timeout` is the integration's, in seconds.
    """

    method: str
    path: str
    function: str
    timeout: float = 30.0
    authorizer: Authorizer | None = None


@dataclass(frozen=True)
class WebSocketApi:
    """One AWS::Serverless::WebSocketApi: its public path, and the function of each route key."""

    logical_id: str
    public_path: str
    stage: str
    routes: dict[str, str]
    timeout: float = 29.0
    authorizer: Authorizer | None = None


@dataclass(frozen=True)
class Table:
    """One AWS::DynamoDB::Table. `definition` is the body of its CreateTable request."""

    name: str
    definition: dict[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True)
class Application:
    """Everything of a template that the laptop runtime serves."""

    functions: dict[str, Function]
    routes: tuple[Route, ...]
    websockets: tuple[WebSocketApi, ...]
    tables: tuple[Table, ...]
    warnings: tuple[str, ...] = field(default=())

    @property
    def authorizers(self) -> frozenset[str]:
        """Logical ids of the functions that are authorizers."""
        found = [*(item.authorizer for item in self.routes), *(item.authorizer for item in self.websockets)]
        return frozenset(item.function for item in found if item is not None)


def load(path: Path, region: str) -> Application:
    """Read a source or built template. Raises TemplateError, which names the file."""
    try:
        document = parse(path.read_text(encoding="utf-8"))
        return _Reader(document, path.parent.resolve(), region).application()
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror}") from error
    except TemplateError as error:
        raise TemplateError(f"{path}: {error}") from error


class _Reader:
    def __init__(self, document: dict[str, Any], root: Path, region: str) -> None:
        self._resources: dict[str, dict[str, Any]] = document["Resources"]
        self._resolver = Resolver(document, region)
        self._root = root
        self._globals = document.get("Globals", {}).get("Function", {})
        self._warnings: list[str] = []

    def application(self) -> Application:
        functions = {name: self._function(name) for name in self._of_type("AWS::Serverless::Function")}
        routes = [route for name in functions for route in self._http_routes(name)]
        websockets = [self._websocket(name) for name in self._of_type("AWS::Serverless::WebSocketApi")]
        tables = [self._table(name) for name in self._of_type("AWS::DynamoDB::Table")]
        return Application(functions, tuple(routes), tuple(websockets), tuple(tables), tuple(self._warnings))

    def _of_type(self, kind: str) -> list[str]:
        return [name for name, item in self._resources.items() if item["Type"] == kind and self._wanted(item)]

    def _wanted(self, resource: dict[str, Any]) -> bool:
        return "Condition" not in resource or self._resolver.condition(resource["Condition"])

    def _function(self, name: str) -> Function:
        get = partial(self._resolver.property, name)
        handler, code = get("Handler"), get("CodeUri") or "."
        layers = self._layers(name)
        retry = get("EventInvokeConfig") or {}
        return Function(
            logical_id=name,
            name=self._resolver.name(name),
            arn=self._resolver.arn(name),
            alias=get("AutoPublishAlias"),
            handler=handler,
            path=(self._code_root(code, handler), *layers),
            watched=((self._root / code).resolve(), *layers),
            timeout=float(get("Timeout") or 3),
            memory=int(get("MemorySize") or 128),
            environment=self._environment(name),
            uses_secret=self._uses_secret(name),
            key_variables=self._key_variables(name),
            retries=int(retry.get("MaximumRetryAttempts", 2)),
            max_event_age=float(retry.get("MaximumEventAgeInSeconds", 21600)),
            schedules=tuple(self._schedules(name)),
        )

    def _code_root(self, uri: str, handler: str) -> Path:
        """Return the folder from which the handler's dotted module can be imported: CodeUri or one above it."""
        module = Path(*handler.split(".")[:-1]).with_suffix(".py")
        start = (self._root / uri).resolve()
        for folder in (start, *start.parents):
            if (folder / module).exists():
                return folder
            if folder == self._root:
                break
        return start

    def _layers(self, name: str) -> list[Path]:
        nodes = self._resources[name].get("Properties", {}).get("Layers", [])
        nodes = [*self._globals.get("Layers", []), *nodes]
        layers = [node["Ref"] for node in nodes if isinstance(node, dict) and node.get("Ref") in self._resources]
        folders = [self._root / str(self._resolver.property(layer, "ContentUri")) for layer in layers]
        return [(folder / "python" if (folder / "python").is_dir() else folder).resolve() for folder in folders]

    def _variables(self, name: str) -> dict[str, Any]:
        own = self._resources[name].get("Properties", {}).get("Environment", {}).get("Variables", {})
        return {**self._globals.get("Environment", {}).get("Variables", {}), **own}

    def _environment(self, name: str) -> dict[str, str]:
        """Evaluate the variables; those that name a secret are left out, since there is no secret store here."""
        nodes = self._variables(name)
        values = {key: self._resolver.value(node) for key, node in nodes.items() if not self._is_secret(node)}
        return {key: _text(value) for key, value in values.items() if value is not NO_VALUE}

    def _uses_secret(self, name: str) -> bool:
        return any(self._is_secret(node) for node in self._variables(name).values())

    def _is_secret(self, node: Any) -> bool:
        return self._type_of(node) == "AWS::SecretsManager::Secret"

    def _key_variables(self, name: str) -> tuple[str, ...]:
        """Variables that name a KMS key, for which a file takes its place here."""
        return tuple(key for key, node in self._variables(name).items() if self._type_of(node) == "AWS::KMS::Key")

    def _type_of(self, node: Any) -> str:
        """Type of the resource that a value refers to."""
        if not isinstance(node, dict):
            return ""
        target = node.get("Ref") or (node.get("Fn::GetAtt") or [None])[0]
        return str(self._resources.get(str(target), {}).get("Type"))

    def _events(self, name: str) -> list[dict[str, Any]]:
        events = self._resources[name].get("Properties", {}).get("Events", {})
        return [
            {"Type": event["Type"], **self._resolver.value(event.get("Properties", {}))} for event in events.values()
        ]

    def _http_routes(self, name: str) -> list[Route]:
        events = [event for event in self._events(name) if event["Type"] == "HttpApi"]
        return [_route(event, name, self._http_authorizer(event)) for event in events]

    def _http_authorizer(self, event: dict[str, Any]) -> Authorizer | None:
        """The authorizer of a route: the one its event names, else its API's default; NONE is none."""
        api = self._resources.get(str(event.get("ApiId")), {})
        auth = api.get("Properties", {}).get("Auth", {})
        name = event.get("Auth", {}).get("Authorizer", auth.get("DefaultAuthorizer", "NONE"))
        if name == "NONE":
            return None
        node = auth.get("Authorizers", {}).get(name, {})
        if "FunctionArn" not in node:
            raise TemplateError(f"the authorizer {name} of a route is no function")
        identity = node.get("Identity", {})
        headers = tuple(header.lower() for header in identity.get("Headers", []))
        return Authorizer(self._target(node["FunctionArn"]), headers, float(identity.get("ReauthorizeEvery", 0)))

    def _schedules(self, name: str) -> list[Schedule]:
        schedules = []
        for event in self._events(name):
            expression = str(event.get("Schedule") or event.get("ScheduleExpression") or "")
            if not expression or event["Type"] not in ("Schedule", "ScheduleV2") or event.get("Enabled") is False:
                continue
            rate = _RATE.fullmatch(expression)
            if rate:
                schedules.append(Schedule(int(rate[1]) * _UNITS[rate[2]], event.get("Input", "{}")))
            else:
                self._warnings.append(f"{name}: {expression} is not run on the laptop (only rate(...) is)")
        return schedules

    def _websocket(self, name: str) -> WebSocketApi:
        routes = self._resources[name]["Properties"].get("Routes", {})
        auth = self._resources[name]["Properties"].get("Auth", {})
        return WebSocketApi(
            logical_id=name,
            public_path=self._resources[name].get("Metadata", {}).get("PublicPath", f"/{name}"),
            stage=self._resolver.property(name, "StageName") or "default",
            routes={key: self._target(route.get("FunctionArn")) for key, route in routes.items()},
            authorizer=Authorizer(self._target(auth["AuthArn"])) if auth.get("AuthType") == "CUSTOM" else None,
        )

    def _target(self, node: Any) -> str:
        """Return the logical id of the function that a route or authorizer names, by Ref, GetAtt or Sub."""
        text = str(node)
        found = [name for name in self._of_type("AWS::Serverless::Function") if re.search(rf"\b{name}\b", text)]
        if not found:
            raise TemplateError(f"no function found in {node}")
        return max(found, key=len)

    def _table(self, name: str) -> Table:
        properties = self._resolver.value(self._resources[name]["Properties"])
        definition = {key: properties[key] for key in _TABLE_KEYS if key in properties}
        definition = {"BillingMode": "PAY_PER_REQUEST", **definition, "TableName": self._resolver.name(name)}
        ttl = properties.get("TimeToLiveSpecification", {})
        return Table(
            definition["TableName"], definition, ttl.get("AttributeName") if ttl.get("Enabled", True) else None
        )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _route(event: dict[str, Any], function: str, authorizer: Authorizer | None) -> Route:
    timeout = float(event.get("TimeoutInMillis", 30000)) / 1000
    return Route(str(event.get("Method", "ANY")).upper(), event.get("Path", "$default"), function, timeout, authorizer)
