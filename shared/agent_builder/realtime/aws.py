"""Clients of AWS, made when first needed. Addresses come from the standard `AWS_ENDPOINT_URL_*` variables."""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from botocore.session import Session


def client(service: str, **config: Any) -> Any:
    """A botocore client whose parameters are not validated again on each call."""
    return Session().create_client(service, config=Config(parameter_validation=False, **config))
