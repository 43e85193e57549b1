"""What is counted and timed. A page of docs/operations.md lists the same; a test compares them.

CloudWatch makes metrics of lines in the log (embedded metric format), so counting costs no call. Every metric has the
dimension `service`, the function's name; the others below have few values. Ids are never dimensions: each would be a
metric of its own, and paid as one.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

NAMESPACE = "AgentBuilder"
_VALUES_A_LINE = 99  # of one metric; Powertools would print by itself at 100

Unit = Literal["Count", "Milliseconds", "None"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Counts are summed over an invocation; times are kept one by one, for percentiles."""

    name: str
    unit: Unit = "Count"
    dimensions: tuple[str, ...] = ()


MESSAGES_ACCEPTED = Metric("MessagesAccepted")
FIRST_TOKEN_LATENCY = Metric("FirstTokenLatency", "Milliseconds")
RUN_DURATION = Metric("RunDuration", "Milliseconds")
RUNS = Metric("Runs", dimensions=("outcome",))
RUN_ERRORS = Metric("RunErrors", dimensions=("code",))
MODEL_FIRST_TOKEN = Metric("ModelFirstToken", "Milliseconds", ("provider",))
MODEL_ERRORS = Metric("ModelErrors", dimensions=("provider", "error"))
TOOL_CALLS = Metric("ToolCalls", dimensions=("outcome",))
TOOL_DURATION = Metric("ToolDuration", "Milliseconds")
INPUT_TOKENS = Metric("InputTokens", dimensions=("provider",))
CACHE_READ_TOKENS = Metric("CacheReadTokens", dimensions=("provider",))
CACHE_WRITE_TOKENS = Metric("CacheWriteTokens", dimensions=("provider",))
OUTPUT_TOKENS = Metric("OutputTokens", dimensions=("provider",))
REASONING_TOKENS = Metric("ReasoningTokens", dimensions=("provider",))
COST = Metric("CostNanodollars", "None", ("provider",))
UNPRICED_CALLS = Metric("UnpricedCalls", dimensions=("provider",))
BUDGET_WARNINGS = Metric("BudgetWarnings", dimensions=("budget",))
BUDGETS_EXCEEDED = Metric("BudgetsExceeded", dimensions=("budget",))
POSTS = Metric("Posts", dimensions=("outcome",))
MERGED_FRAMES = Metric("MergedFrames")
RESCUES = Metric("Rescues")
PURGES = Metric("Purges", dimensions=("target",))
OUTBOUND_REFUSED = Metric("OutboundRefused", dimensions=("reason",))
RECONNECTS_NEEDED = Metric("ReconnectsNeeded")
SECRETS_UNAVAILABLE = Metric("SecretsUnavailable")
TRACES = Metric("Traces", dimensions=("outcome",))

CATALOGUE = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


def _to_the_log(line: str) -> None:
    sys.stdout.write(f"{line}\n")


class Metrics:
    """Gathers in memory what happens in an invocation; one instance per execution environment.

    Args:
        write: Takes each line of embedded metrics.
        namespace: Of all metrics; else `POWERTOOLS_METRICS_NAMESPACE`, which keeps stacks of one account apart.
    """

    def __init__(self, write: Callable[[str], None] = _to_the_log, namespace: str | None = None) -> None:
        self._write = write
        self._namespace = namespace
        self._gathered: dict[tuple[tuple[str, str], ...], dict[Metric, list[float]]] = {}
        self._lock = threading.Lock()  # frames are posted by several threads

    def add(self, metric: Metric, value: float = 1, **dimensions: str) -> None:
        """Count or time something. `dimensions` are exactly those of the metric."""
        if tuple(dimensions) != metric.dimensions:
            raise ValueError(f"{metric.name} has the dimensions {metric.dimensions}, not {tuple(dimensions)}.")
        with self._lock:
            values = self._gathered.setdefault(tuple(dimensions.items()), {}).setdefault(metric, [])
            if metric.unit == "Milliseconds" or not values:
                values.append(value)
            else:
                values[0] += value

    def flush(self, properties: Mapping[str, str] | None = None) -> None:
        """Write out what was gathered, a line for each combination of dimensions; nothing where nothing was.

        Args:
            properties: Ids that stand beside the metrics in the log, to find them by.
        """
        with self._lock:
            gathered, self._gathered = self._gathered, {}
        for dimensions, metrics in gathered.items():
            while metrics:
                self._write(self._line(dict(dimensions), metrics, properties or {}))
                metrics = {metric: rest for metric, values in metrics.items() if (rest := values[_VALUES_A_LINE:])}

    def _line(
        self, dimensions: Mapping[str, str], metrics: Mapping[Metric, list[float]], properties: Mapping[str, str]
    ) -> str:
        provider = AmazonCloudWatchEMFProvider(namespace=self._namespace)
        provider.namespace = provider.namespace or NAMESPACE
        for name, value in dimensions.items():
            provider.add_dimension(name, value)
        for metric, values in metrics.items():
            for number in values[:_VALUES_A_LINE]:
                provider.add_metric(metric.name, metric.unit, number)
        for key, text in properties.items():
            provider.add_metadata(key, text)
        return json.dumps(provider.serialize_metric_set(), separators=(",", ":"))
