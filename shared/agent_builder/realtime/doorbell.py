"""Rings the runner. The table is the truth: a lost, late or doubled ring does no harm."""

from __future__ import annotations

import json
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from agent_builder.aws import client
from agent_builder.errors import StoreError

logger = logging.getLogger(__name__)


class Doorbell:
    """Invokes the runner.

    Args:
        function: Its name and alias, `name:alias`.
    """

    def __init__(self, function: str) -> None:
        self._function = function
        self._client: Any = None
        self._asking: Any = None

    def ring(self, kind: str, **ids: Any) -> bool:
        """Invoke asynchronously with ids only; False if it could not be rung (the rescue will look)."""
        try:
            self.prepare()
            self._invoke(self._client, "Event", {"kind": kind, **ids})
        except (BotoCoreError, ClientError) as error:
            logger.warning("the runner could not be rung", extra={"ring": kind, "error": type(error).__name__})
            return False
        return True

    def insist(self, kind: str, **ids: Any) -> None:
        """Ring where nobody else would look.

        Raises:
            StoreError: It could not be rung.
        """
        if not self.ring(kind, **ids):
            raise StoreError("This is done in part; ask for it again.", code="runner_unavailable")

    def ask(self, kind: str, **ids: Any) -> dict[str, Any]:
        """Invoke and wait for the answer. Once: what is asked for may act.

        Raises:
            StoreError: The runner did not answer, or failed.
        """
        if self._asking is None:
            self._asking = client("lambda", connect_timeout=2, read_timeout=26, retries={"total_max_attempts": 1})
        try:
            response = self._invoke(self._asking, "RequestResponse", {"kind": kind, **ids})
            payload = json.loads(response["Payload"].read())
        except (BotoCoreError, ClientError, ValueError) as error:
            raise StoreError("The runner could not be asked; try again.", code="runner_unavailable") from error
        if response.get("FunctionError") or not isinstance(payload, dict):
            raise StoreError("The runner failed to answer; try again.", code="runner_unavailable")
        return payload

    def prepare(self) -> None:
        """Make the client now, so that the first ring need not."""
        if self._client is None:
            self._client = client(
                "lambda", connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"}
            )

    def _invoke(self, lambdas: Any, how: str, payload: dict[str, Any]) -> Any:
        return lambdas.invoke(FunctionName=self._function, InvocationType=how, Payload=json.dumps(payload).encode())
