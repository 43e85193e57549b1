"""Structured logs. Content, tokens and secrets are never logged: ids, counts, times and error codes are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from agent_builder.clock import now_ms

Handler = Callable[[dict[str, Any], Any], Any]

logger = Logger(use_rfc3339=True)


def configure_logging() -> None:
    """Send what the product's modules log through the structured logger."""
    package = logging.getLogger("agent_builder")
    if not package.handlers:
        for handler in logger.handlers:
            package.addHandler(handler)
        package.setLevel(logger.log_level)
        package.propagate = False


def log_context(context: Any, **fields: Any) -> None:
    """Set what every line of this invocation carries."""
    logger.set_correlation_id(getattr(context, "aws_request_id", None))
    logger.append_keys(**fields)


def elapsed_ms(since: int) -> int:
    """Milliseconds since then."""
    return now_ms() - since
