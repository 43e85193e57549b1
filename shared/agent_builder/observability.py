"""Structured logs. Content, tokens and secrets are never logged: ids, counts, times and error codes are.

Every line of an invocation carries `correlation_id` (Lambda's request id) and what is known of `FIELDS`; where X-Ray
is on, `xray_trace_id` too, which leads from the frame that was accepted to the run that it started.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from agent_builder.config import log_level
from agent_builder.errors import AgentBuilderError
from agent_builder.metrics import Metrics

# Whose invocation it is, and about what.
FIELDS = ("kind", "request_id", "route", "connection_id", "tenant_id", "agent_id", "conversation_id", "run_id")

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Formatter(LambdaPowertoolsFormatter):
    """Tells of an error where it was raised and what kind it is. What others write into theirs may be content."""

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 (the name is the logging module's)
        """The stack of an error and of those behind it; messages only of our own, which hold no content."""
        told: list[str] = []
        waiting, seen = [ei[1]], set[int]()
        while waiting:
            error = waiting.pop(0)
            if error is None or id(error) in seen:
                continue
            seen.add(id(error))
            detail = f": {error.detail}" if isinstance(error, AgentBuilderError) else ""
            told.append("".join([*traceback.format_tb(error.__traceback__), type(error).__qualname__, detail]))
            waiting += error.exceptions if isinstance(error, BaseExceptionGroup) else ()
            waiting.append(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
        return "\nbecause of\n".join(told)

    def serialize(self, log: Any) -> str:
        """A line; notes that were added to an error are messages, too."""
        return str(super().serialize({name: value for name, value in log.items() if name != "exception_notes"}))


class InvocationFailed(Exception):
    """An invocation failed unexpectedly: Lambda logs and passes on what is raised, so that it must not be content."""


logger = Logger(logger_formatter=Formatter(use_rfc3339=True, serialize_stacktrace=False))


def configure_logging() -> None:
    """Send what the product's modules log through the structured logger, and of other libraries only what is wrong.

    Lambda gives the root logger a level of its own choice, and libraries tell too much there: each address that was
    called, with its query string, at INFO; requests with their bodies at DEBUG.
    """
    logging.getLogger().setLevel(logging.WARNING)
    package = logging.getLogger("agent_builder")
    for ours in (package, logging.getLogger(logger.name)):
        ours.setLevel(log_level())
    if not package.handlers:
        for handler in logger.handlers:
            package.addHandler(handler)
        package.propagate = False


@contextmanager
def invocation(context: Any, metrics: Metrics, **fields: str | None) -> Iterator[None]:
    """Give every line of this invocation its ids, and write out at the end what was counted in it.

    Raises:
        InvocationFailed: In the place of any error that is not one of ours.
    """
    logger.remove_keys([*FIELDS, "correlation_id"])
    logger.set_correlation_id(getattr(context, "aws_request_id", None))
    log_fields(**fields)
    try:
        yield
    except AgentBuilderError:
        raise
    except Exception as error:
        logger.exception("an invocation failed unexpectedly")
        raise InvocationFailed(type(error).__name__) from None
    finally:
        metrics.flush(_ids())


def log_fields(**fields: str | None) -> None:
    """Set what the lines of this invocation carry from here on; None and "" say nothing."""
    logger.append_keys(**{name: value for name, value in fields.items() if value})


def _ids() -> dict[str, str]:
    keys = logger.get_current_keys()
    return {name: str(keys[name]) for name in ("correlation_id", *FIELDS) if keys.get(name)}
