"""Posting to WebSocket connections through API Gateway."""

from __future__ import annotations

import logging
from enum import Enum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from agent_builder.aws import client
from agent_builder.metrics import POSTS, Metrics

logger = logging.getLogger(__name__)


class Posted(Enum):
    """What became of a post."""

    SENT = "sent"
    GONE = "gone"
    THROTTLED = "throttled"
    TOO_LARGE = "too_large"
    FAILED = "failed"


_BY_STATUS = {410: Posted.GONE, 403: Posted.GONE, 413: Posted.TOO_LARGE, 429: Posted.THROTTLED}


def watcher(connection_id: str, expires_at: int) -> str:
    """How a connection stands among those that watch: `<connection>@<second>` where its sign-in ends, else as it is."""
    return f"{connection_id}@{expires_at}" if expires_at else connection_id


def watching(name: str) -> tuple[str, int]:
    """The connection behind a watcher, and the second since the epoch at which its sign-in ends; 0 if it does not."""
    connection_id, _, expires_at = name.partition("@")
    return connection_id, int(expires_at or 0)


class Connections:
    """Posts, and never raises: a client that went away is no error of the run.

    The client makes one attempt with short timeouts: API Gateway's 429 also means that this one connection is slow, and
    a retry inside the client would hold up all that comes after.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._client: Any = None

    def post(self, connection_id: str, data: bytes) -> Posted:
        """Send one frame; blocks for at most a few seconds."""
        posted = self._post(connection_id, data)
        self._metrics.add(POSTS, outcome=posted.value)
        return posted

    def _post(self, connection_id: str, data: bytes) -> Posted:
        try:
            self._api().post_to_connection(ConnectionId=connection_id, Data=data)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            return _BY_STATUS.get(status, Posted.FAILED)
        except BotoCoreError as error:
            logger.warning("a post failed", extra={"error": type(error).__name__})
            return Posted.FAILED
        return Posted.SENT

    def close(self, connection_id: str) -> None:
        """Close a connection, if it is still there."""
        try:
            self._api().delete_connection(ConnectionId=connection_id)
        except (ClientError, BotoCoreError) as error:
            logger.info("a connection was not closed", extra={"error": type(error).__name__})

    def prepare(self) -> None:
        """Make the client now, so that the first post need not."""
        self._api()

    def _api(self) -> Any:
        if self._client is None:
            self._client = client(
                "apigatewaymanagementapi",
                connect_timeout=1,
                read_timeout=3,
                max_pool_connections=32,
                retries={"total_max_attempts": 1, "mode": "standard"},
            )
        return self._client
