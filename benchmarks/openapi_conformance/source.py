"""Whether a request is one that the source document describes, as openapi-core sees it."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from agent_builder.tools.http_request import HttpRequest

Json = dict[str, Any]
BASE = "https://api.example.test"
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


class _Seen:
    """A request as openapi-core wants to see it."""

    def __init__(self, request: HttpRequest) -> None:
        parts = urlsplit(request.url)
        headers = Headers(list(request.headers))
        headers.setdefault("Authorization", "Bearer of a credential")
        cookies = SimpleCookie(headers.get("Cookie", ""))
        self.host_url = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path
        self.method = request.method.lower()
        self.body = request.body
        self.content_type = headers.get("Content-Type", "")
        self.parameters = RequestParameters(
            path={},
            query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            header=headers,
            cookie=ImmutableMultiDict({name: morsel.value for name, morsel in cookies.items()}),
        )


class Unjudged(Exception):
    """The validator cannot say: a reference out of the document, a path it cannot match, a schema it cannot read."""


class Source:
    """A document of OpenAPI 3, its servers replaced by one and its security left to others.

    Each path is looked at alone, since templates such as `/{a}/{b}` and `/{a}/{c}` cannot be told apart by a request.
    """

    def __init__(self, root: Json) -> None:
        self._root = _stripped(root)
        self._path = ""
        self._app: OpenAPI | None = None

    def faults(self, path: str, request: HttpRequest) -> list[str]:
        """What the document objects to in a request of one of its paths.

        Raises:
            Unjudged: It cannot be told.
        """
        if self._app is None or path != self._path:
            alone = {**self._root, "paths": {path.split("#")[0]: self._root["paths"][path]}}
            self._app = OpenAPI(SchemaPath.from_dict(alone, handlers={}), config=Config(spec_validator_cls=None))
            self._path = path
        if request.body == b"":
            raise Unjudged("an empty form looks like no body")
        try:
            found = list(self._app.iter_request_errors(_Seen(request)))
        except OpenAPIError as error:
            found = [error]
        except Exception as error:
            raise Unjudged(repr(error)) from error
        if any(isinstance(error, PathError) for error in found):
            raise Unjudged(str(found[0]))
        return [_explained(error) for error in found]


def _explained(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"
    cause = error.__cause__
    while cause is not None:
        more = getattr(cause, "schema_errors", None)
        text += f" <- {type(cause).__name__}: {cause}"
        for one in more or ():
            text += f" | {'/'.join(map(str, one.absolute_path))}: {one.message[:200]}"
        cause = cause.__cause__
    return text


def _stripped(root: Json) -> Json:
    paths = {}
    for path, item in root.get("paths", {}).items():
        if not isinstance(item, dict):
            continue
        kept = {word: value for word, value in item.items() if word != "servers"}
        for method in _METHODS & kept.keys():
            if isinstance(kept[method], dict):
                gone = {"servers", "security", "responses", "callbacks"}
                kept[method] = {word: value for word, value in kept[method].items() if word not in gone}
                kept[method]["responses"] = {"default": {"description": "any"}}
        paths[path] = kept
    whole = {**{w: v for w, v in root.items() if w != "security"}, "servers": [{"url": BASE}], "paths": paths}
    return dict(_without_binary(whole))


def _without_binary(node: Any) -> Any:
    """Binary values, and bodies that are no JSON or form, as any value: the validator sees bytes or text there."""
    if isinstance(node, list):
        return [_without_binary(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "string" and (node.get("format") == "binary" or node.get("contentEncoding") == "binary"):
        return {}
    if node.get("type") == "string" and node.get("contentMediaType") == "application/octet-stream":
        return {}
    if "requestBody" in node and isinstance(node["requestBody"], dict):
        said = node["requestBody"].get("content")
        content: Json = dict(said) if isinstance(said, dict) else {}
        for media_type in content:
            if not any(kind in media_type for kind in ("json", "form", "*")):
                content[media_type] = {}
        node = {**node, "requestBody": {**node["requestBody"], "content": content}}
    return {word: _without_binary(value) for word, value in node.items()}
