"""Clients of AWS. Addresses come from the standard `AWS_ENDPOINT_URL_*` variables.

botocore reads megabytes of JSON to make a client. One loader keeps what was read, so that a process that was restored
from a snapshot, or forked, makes its clients in milliseconds.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.session import Session


@cache
def _loader() -> Loader:
    return create_loader()


def session() -> Session:
    """A new session; credentials are looked up anew, descriptions of services are not read again."""
    made = Session()
    made.register_component("data_loader", _loader())
    return made


def client(service: str, **config: Any) -> Any:
    """A client whose parameters are not validated again on each call."""
    return session().create_client(service, config=Config(parameter_validation=False, **config))


def preload(*services: str) -> None:
    """Read the descriptions of services before a snapshot is taken. The clients are thrown away and never connect."""
    for service in services:
        session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106 (no secret: this client is thrown away)
        )
