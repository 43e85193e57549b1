"""The environment variables of a function's process, as Lambda sets them, with the laptop's endpoints in them."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.settings import MODEL_VARIABLE, PRIVATE_VARIABLE, Settings
from local.template import Function

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Endpoints:
    """Base addresses of the parts that functions call."""

    store: str
    aws: str
    model: str | None = None


def variables(function: Function, settings: Settings, endpoints: Endpoints, stage: str) -> dict[str, str]:
    """Return the whole environment of a function."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **inherited,
        **_lambda_variables(function, settings),
        **function.environment,
        **_provider_variables(function, settings, endpoints),
        **{name: str(key_file(settings.data)) for name in function.key_variables},
        "AWS_ENDPOINT_URL_DYNAMODB": endpoints.store,
        "AWS_ENDPOINT_URL_LAMBDA": endpoints.aws,
        "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"{endpoints.aws}/{stage}",
        **settings.function_variables,
        PRIVATE_VARIABLE: "1" if settings.private_base_urls else "",
    }


def key_file(data: Path) -> Path:
    """The file of 32 random bytes that takes the place of KMS keys; made when it is first asked for."""
    path = data / "credentials.key"
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=data, prefix="key-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # whole, or not at all; never in the place of one that secrets were sealed with
        Path(draft).unlink()
    return path


def _lambda_variables(function: Function, settings: Settings) -> dict[str, str]:
    return {
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": settings.access_key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "1" if function.alias else "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_SAM_LOCAL": "true",
        "LAMBDA_TASK_ROOT": str(function.path[0]),
        "_HANDLER": function.handler,
        "TZ": ":UTC",
        "PYTHONUNBUFFERED": "1",
    }


def _provider_variables(function: Function, settings: Settings, endpoints: Endpoints) -> Mapping[str, str]:
    if not function.uses_secret:
        return {}
    model = {MODEL_VARIABLE: endpoints.model} if endpoints.model else {}
    return {**settings.provider_variables, **model}
