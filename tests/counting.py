"""Metrics that a test looks at."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from agent_builder.metrics import CATALOGUE, Metrics

BY_NAME = {metric.name: metric for metric in CATALOGUE}
Key = tuple[str, ...]


def values(lines: list[dict[str, Any]]) -> dict[Key, list[float]]:
    """Name and values of the dimensions, `service` left out, to all that was counted in these lines."""
    found: dict[Key, list[float]] = defaultdict(list)
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in directive["Metrics"]:
                name = metric["Name"]
                found[(name, *(line[one] for one in BY_NAME[name].dimensions))] += line[name]
    return dict(found)


class Counting:
    """Metrics, and what they write."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.metrics = Metrics(self.lines.append)

    def flushed(self, **properties: str) -> list[dict[str, Any]]:
        """The lines that are written now."""
        self.metrics.flush(properties)
        lines, self.lines[:] = [json.loads(line) for line in self.lines], []
        return lines

    def values(self) -> dict[Key, list[float]]:
        """What was counted since it was last asked for."""
        return values(self.flushed())
