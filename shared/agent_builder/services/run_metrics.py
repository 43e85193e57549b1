"""What of a run is counted: each step when it is stored as over, so once, however often the run is taken up again."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from agent_builder import metrics as counted
from agent_builder.clock import Clock
from agent_builder.metrics import Metrics
from agent_builder.models.conversations import OPEN_STATUSES, Outcome, Step

logger = logging.getLogger(__name__)

_MODEL_ERROR = "provider_"
# Ends that nobody who runs the platform can do something about; the alarm on failing runs leaves them out.
_REFUSALS = frozenset({"budget_exceeded", "provider_content_filter", "provider_context_too_long"})
_OF_THE_KEY = frozenset({"provider_auth", "provider_rate_limit"})


class RunMeter:
    """Counts one run in one invocation.

    Args:
        since: When it was accepted, or the answer before it was over; milliseconds.
    """

    def __init__(self, metrics: Metrics, clock: Clock, since: int) -> None:
        self._metrics = metrics
        self._clock = clock
        self._since = since
        self._has_spoken = False
        self._counted: set[int] = set()

    def goes_on(self, since: int, *, has_spoken: bool) -> None:
        """An earlier invocation began it; `since` leaves out what it waited for people."""
        self._since, self._has_spoken = since, has_spoken

    def spoke(self) -> None:
        """A piece of the answer is there."""
        if not self._has_spoken:
            self._has_spoken = True
            self._metrics.add(counted.FIRST_TOKEN_LATENCY, self._clock() - self._since)

    def stored(self, steps: Iterable[Step]) -> None:
        """These steps are stored."""
        self._counted |= measure_steps(self._metrics, [step for step in steps if step.number not in self._counted])

    def ended(self, outcome: Outcome, *, steps: int, attempts: int, own_key: bool = False) -> None:
        """It is over, and stored: count that, and say it in the log."""
        duration = self._clock() - self._since
        measure_end(self._metrics, outcome, duration, own_key=own_key)
        told = {"status": outcome.status, "duration_ms": duration, "code": outcome.error_code}
        logger.info("a run ended", extra={**told, "steps": steps, "attempts": attempts})


def measure_steps(metrics: Metrics, steps: Iterable[Step]) -> set[int]:
    """Count steps that were stored and are over, nested ones too; answers their numbers.

    Those that go on are counted when they are stored again. A call inside a call that has a model's help is one call.
    """
    over = [step for step in steps if step.status not in OPEN_STATUSES]
    for step in over:
        if step.kind == "model":
            _measure_model(metrics, step)
        elif "purpose" not in step.detail:
            metrics.add(counted.TOOL_CALLS, outcome=step.status)
            metrics.add(counted.TOOL_DURATION, step.duration_ms)
    return {step.number for step in over}


def measure_end(metrics: Metrics, outcome: Outcome, duration_ms: int, *, own_key: bool = False) -> None:
    """Count a run that ended; `refused` is one that a budget, its content or the tenant's own key (`own_key`) ended."""
    code = outcome.error_code
    refused = code in _REFUSALS or (own_key and code in _OF_THE_KEY)
    metrics.add(counted.RUNS, outcome="refused" if refused else outcome.status)
    metrics.add(counted.RUN_DURATION, duration_ms)
    if outcome.error_code:
        metrics.add(counted.RUN_ERRORS, code=outcome.error_code)


def _measure_model(metrics: Metrics, step: Step) -> None:
    provider = str(step.detail.get("provider") or "unknown")
    if "first_token_ms" in step.detail:
        metrics.add(counted.MODEL_FIRST_TOKEN, step.detail["first_token_ms"], provider=provider)
    if step.error and step.error.startswith(_MODEL_ERROR):
        kind = step.error.removeprefix(_MODEL_ERROR)
        whose = "own_key_" if kind == "auth" and step.detail.get("own_key") else ""  # that is not for the operator
        metrics.add(counted.MODEL_ERRORS, provider=provider, error=f"{whose}{kind}")
    if step.usage is not None:
        usage = {
            counted.INPUT_TOKENS: step.usage.input_tokens,
            counted.CACHE_READ_TOKENS: step.usage.cache_read_tokens,
            counted.CACHE_WRITE_TOKENS: step.usage.cache_write_tokens,
            counted.OUTPUT_TOKENS: step.usage.output_tokens,
            counted.REASONING_TOKENS: step.usage.reasoning_tokens,
        }
        for metric, tokens in usage.items():
            if tokens:
                metrics.add(metric, tokens, provider=provider)
    if step.cost is not None:
        if step.cost.amount_nanousd is not None:
            metrics.add(counted.COST, step.cost.amount_nanousd, provider=provider)
        if step.cost.unpriced_steps:
            metrics.add(counted.UNPRICED_CALLS, step.cost.unpriced_steps, provider=provider)
