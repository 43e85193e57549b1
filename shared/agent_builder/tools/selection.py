"""JMESPath over an answer, bounded: an expression of a line can ask for more than a machine has.

Nothing but a multi-select can name a value twice, so what grows is weighed there, and where texts or lists are joined.
"""

from __future__ import annotations

import time
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

from agent_builder.errors import ToolError
from agent_builder.jsontext import encode

SECONDS = 1.0
# About what it takes to hold: characters, and eight for each value.
MOST = 32_000_000
_EACH = 8


class _TooMuch(Exception):
    pass


def select(expression: str, value: Any, *, seconds: float = SECONDS) -> Any:
    """What an expression selects; None where there is nothing. Takes up to `seconds`: call it in a thread.

    Raises:
        ToolError: The expression is wrong, does not fit this value, or takes too much time or room.
    """
    try:
        parsed = jmespath.compile(expression).parsed
        selected = _Bounded(time.monotonic() + seconds).visit(parsed, value)
        encode(selected)
        return selected
    except _TooMuch:
        raise ToolError("The tool's `select` expression takes too much time or room for this answer.") from None
    except JMESPathError as error:
        why = str(error).splitlines()[0][:200]
        raise ToolError(f"The tool's `select` expression cannot be applied to this answer: {why}") from None
    except (RecursionError, ArithmeticError, TypeError, ValueError):
        raise ToolError("The tool's `select` expression cannot be applied to this answer.") from None


class _Bounded(TreeInterpreter):  # type: ignore[misc]
    """Counts as it goes."""

    def __init__(self, until: float) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self._until = until
        self._visits = 0

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._visits += 1
        if self._visits % 64 == 0 and time.monotonic() > self._until:
            raise _TooMuch
        return super().visit(node, *args, **kwargs)

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        return self._weighed(super().visit_multi_select_list(node, value))

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        return self._weighed(super().visit_multi_select_dict(node, value))

    def _weighed(self, value: Any) -> Any:
        if time.monotonic() > self._until:
            raise _TooMuch
        _weigh(value)
        return value


class _Functions(Functions):  # type: ignore[misc]
    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        if function_name == "join" and len(resolved_args) == 2:
            glue, texts = resolved_args
            if isinstance(glue, str) and isinstance(texts, list) and len(glue) * len(texts) > MOST:
                raise _TooMuch
        return super().call_function(function_name, resolved_args)


def _weigh(value: Any) -> None:
    weight, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        weight += _EACH
        if isinstance(one, str):
            weight += len(one)
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            weight += sum(map(len, one))
            waiting += one.values()
        if weight > MOST or len(waiting) * _EACH > MOST:
            raise _TooMuch
