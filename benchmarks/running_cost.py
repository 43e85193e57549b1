"""What an idle stack costs a month, and what a million plain runs cost: counted, times list prices.

    python -m benchmarks.running_cost [--count]

Writes the section of docs/operations.md. With `--count` the calls are counted anew (`benchmarks.plain_run`) and kept in
`benchmarks/counts.json`; what was counted, `benchmarks/aws_prices.json` and the templates make the tables. Free tiers
are left out, so that the tables hold for an account with other uses; tokens of models are not AWS's, and not in them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.template import of_type, read

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "operations.md"
COUNTS, PRICES, TEXT = HERE / "counts.json", HERE / "aws_prices.json", HERE / "running_cost_page.md"
BEGIN, END = "<!-- running cost: begin -->", "<!-- running cost: end -->"

HOURS = 730
MINUTES = HOURS * 60
RUNS = 1_000_000
GB = 1024**3


@dataclass(frozen=True)
class Assumed:
    """What is not counted but assumed; seconds and bytes."""

    # The model of the plain run takes five seconds; the rest is what benchmarks/streaming.py sees, and cold starts.
    seconds: Mapping[str, float]
    runs_a_connection: int = 5
    minutes_a_connection: int = 10
    platform_log_bytes: int = 900  # Lambda's own three lines of an invocation
    line_bytes: int = 26  # CloudWatch adds to each line
    access_log_bytes: int = 330
    stored_bytes_a_run: int = 6_000
    deployed_gb: float = 0.2


ASSUMED = Assumed({"run": 5.3, "greet": 0.05, "rescue": 0.1, "playground": 0.04, "api": 0.04, "authorizer": 0.02})


@dataclass(frozen=True)
class Line:
    """One line of a table: how much of what, at which price."""

    what: str
    amount: float
    unit: str
    price: float

    @property
    def usd(self) -> float:
        """What it costs."""
        return self.amount * self.price


class Tables:
    """Lines from counts, prices and templates."""

    def __init__(self) -> None:
        self.counts: dict[str, Any] = json.loads(COUNTS.read_text("utf-8"))
        self.book: dict[str, Any] = json.loads(PRICES.read_text("utf-8"))
        template = read()
        memory = {name: properties.get("MemorySize", 512) for name, properties in of_type(template, FUNCTION).items()}
        default = template["Parameters"]["RunnerMemory"]["Default"]
        self.memory = {name.removesuffix("Function").lower(): _number(given, default) for name, given in memory.items()}
        self.monitoring = read("monitoring.yaml")

    def price(self, name: str) -> float:
        """Dollars for one."""
        return float(self.book["prices"][name]["usd"])

    def line(self, what: str, amount: float, unit: str, price: str) -> Line:
        """A line with its price by name."""
        return Line(what, amount, unit, self.price(price))

    def gb_seconds(self, function: str, kind: str) -> float:
        """Of one invocation."""
        return self.memory[function] / 1024 * ASSUMED.seconds[kind]

    def idle(self) -> Iterator[Line]:
        """A month in which nobody comes."""
        minute = self.counts["minute"]
        snapshots = sum(self.memory[name] for name in ("api", "playground", "authorizer")) / 1024
        watched = sum(_watched(alarm) for alarm in of_type(self.monitoring, "AWS::CloudWatch::Alarm").values())
        log = _log_bytes(minute) / GB * MINUTES
        yield self.line(
            "SnapStart: snapshots of api, playground, authorizer",
            snapshots * HOURS * 3600,
            "GB-s",
            "snapstart_cache_gb_second",
        )
        yield self.line("CloudWatch: alarms", watched, "metrics", "alarm_metric_month")
        yield self.line("CloudWatch: dashboard", 1, "", "dashboard_month")
        yield self.line("KMS: key of the credentials", 1, "key", "kms_key_month")
        yield self.line("Secrets Manager: the providers' keys", 1, "secret", "secret_month")
        yield self.line("X-Ray: the rescue, once a minute", MINUTES, "traces", "xray_trace")
        yield self.line(
            "Lambda: the rescue's time", self.gb_seconds("runner", "rescue") * MINUTES, "GB-s", "lambda_gb_second"
        )
        yield self.line("Lambda: the rescue's invocations", MINUTES, "requests", "lambda_request")
        yield self.line(
            "DynamoDB: the rescue's queries", minute["read_units"] * MINUTES, "read units", "dynamodb_read_unit"
        )
        yield self.line("EventBridge: the rescue's schedule", MINUTES, "events", "schedule_event")
        yield self.line("CloudWatch: the rescue's log, taken in", log, "GB", "logs_gb")
        yield self.line("S3: what was deployed", ASSUMED.deployed_gb, "GB", "s3_gb_month")

    def runs(self) -> Iterator[Line]:
        """A million plain runs within a month, beyond what idles."""
        run, connection = self.counts["run"], self.counts["connection"]
        connections = RUNS / ASSUMED.runs_a_connection
        both = [(run, RUNS), (connection, connections)]

        def total(name: str) -> float:
            return float(sum(count[name] * times for count, times in both))

        yield self.line(
            "Lambda: the runner's time", self.gb_seconds("runner", "run") * RUNS, "GB-s", "lambda_gb_second"
        )
        yield self.line("API Gateway: WebSocket messages", total("messages") + RUNS, "messages", "websocket_message")
        yield self.line("DynamoDB: writes of runs", run["write_units"] * RUNS, "write units", "dynamodb_write_unit")
        yield self.line("DynamoDB: heartbeats", run["heartbeat_units"] * RUNS, "write units", "dynamodb_write_unit")
        yield self.line(
            "DynamoDB: writes of connections",
            connection["write_units"] * connections,
            "write units",
            "dynamodb_write_unit",
        )
        yield self.line("DynamoDB: reads", total("read_units"), "read units", "dynamodb_read_unit")
        yield self.line(
            "DynamoDB: kept, first month", ASSUMED.stored_bytes_a_run * RUNS / GB, "GB", "dynamodb_gb_month"
        )
        yield self.line(
            "DynamoDB: its backup, first month",
            ASSUMED.stored_bytes_a_run * RUNS / GB,
            "GB",
            "dynamodb_backup_gb_month",
        )
        yield from self._lambda(both)
        yield self.line(
            "API Gateway: connections", connections * ASSUMED.minutes_a_connection, "minutes", "websocket_minute"
        )
        yield self.line("API Gateway: REST, tickets", connections, "requests", "http_api_request")
        traces = RUNS + connections * sum(connection["invocations"].values())
        yield self.line("X-Ray: a run, and what a connection invokes", traces, "traces", "xray_trace")
        log = sum(_log_bytes(count) * times for count, times in both) + connections * ASSUMED.access_log_bytes
        yield self.line("CloudWatch: logs, taken in", log / GB, "GB", "logs_gb")
        yield self.line("CloudWatch: logs, kept for 30 days", log / GB, "GB", "logs_gb_month")
        series = len({*run["series"], *connection["series"]})
        yield self.line("CloudWatch: metrics, one provider", series, "metrics", "metric_month")
        yield self.line("Data out: frames", total("sent_bytes") / GB, "GB", "data_out_gb")
        yield self.line("Secrets Manager: keys read once a minute", MINUTES, "calls", "secret_call")

    def _lambda(self, both: list[tuple[dict[str, Any], float]]) -> Iterator[Line]:
        """What is not the runner's own time in runs."""
        run, times = both[1]
        calls = run["invocations"]
        seconds = RUNS * self.gb_seconds("playground", "playground")
        seconds += times * sum(
            calls[name] * self.gb_seconds(name, name) for name in ("authorizer", "api", "playground")
        )
        seconds += times * self.gb_seconds("runner", "greet")
        requests = sum(sum(count["invocations"].values()) * number for count, number in both)
        yield self.line("Lambda: the other functions' time", seconds, "GB-s", "lambda_gb_second")
        yield self.line("Lambda: invocations", requests, "requests", "lambda_request")


FUNCTION = "AWS::Serverless::Function"


def _number(given: Any, default: int) -> int:
    return given if isinstance(given, int) else default


def _watched(alarm: Mapping[str, Any]) -> int:
    return sum("MetricStat" in metric for metric in alarm.get("Metrics", ())) or 1


def _log_bytes(count: Mapping[str, Any]) -> float:
    """Of what the code and Lambda write to the log."""
    invocations = sum(count["invocations"].values())
    ours = count["log_bytes"] + count["log_lines"] * ASSUMED.line_bytes
    return float(ours + invocations * ASSUMED.platform_log_bytes)


def table(lines: list[Line]) -> str:
    """As Markdown, the dearest first, with the sum."""
    head = ["| | amount | at | a month |", "| --- | ---: | ---: | ---: |"]
    dearest = sorted(lines, key=lambda line: -line.usd)
    rows = [f"| {line.what} | {_amount(line)} | ${_price(line.price)} | ${line.usd:,.2f} |" for line in dearest]
    return "\n".join([*head, *rows, f"| **together** | | | **${sum(line.usd for line in lines):,.2f}** |"])


def _amount(line: Line) -> str:
    number = f"{line.amount:,.0f}" if line.amount >= 100 else f"{line.amount:,.3g}"
    return f"{number} {line.unit}".strip()


def _price(price: float) -> str:
    return f"{price * 1e6:,.4g} / million" if 0 < price < 0.001 else f"{price:,.2f}"


def section() -> str:
    """What stands between the marks in docs/operations.md."""
    tables = Tables()
    idle, runs = list(tables.idle()), list(tables.runs())
    told = TEXT.read_text("utf-8").format(
        region=tables.book["region"],
        date=tables.book["noted_on"],
        idle=table(idle),
        runs=table(runs),
        dearest=_dearest(runs),
        plain=sum(tables.counts["run"]["calls"].values()),
        **_assumptions(tables),
    )
    return f"{BEGIN}\n{told.strip()}\n{END}"


def _dearest(lines: list[Line]) -> str:
    total = sum(line.usd for line in lines)
    parts: dict[str, float] = {}
    for line in lines:
        service = line.what.partition(":")[0]
        parts[service] = parts.get(service, 0) + line.usd
    ranked = sorted(parts.items(), key=lambda part: -part[1])[:3]
    return ", ".join(f"{name} {100 * usd / total:.0f} %" for name, usd in ranked)


def _assumptions(tables: Tables) -> dict[str, Any]:
    run = tables.counts["run"]
    return {
        "messages": run["messages"],
        "write_units": f"{run['write_units']:g}",
        "heartbeats": run["heartbeats"],
        "runs_a_connection": ASSUMED.runs_a_connection,
        "minutes_a_connection": ASSUMED.minutes_a_connection,
        "seconds": ", ".join(f"{name} {1000 * seconds:,.0f}" for name, seconds in ASSUMED.seconds.items()),
        "memory": ", ".join(f"{name} {megabytes}" for name, megabytes in sorted(tables.memory.items())),
    }


def write_page() -> None:
    """Put the section in its place."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + section() + rest.split(END)[1], "utf-8")


def main() -> None:
    """Count, if that is asked for, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", action="store_true")
    if parser.parse_args().count:
        from benchmarks.plain_run import count_all

        COUNTS.write_text(json.dumps(count_all(), indent=2) + "\n", "utf-8")
    write_page()


if __name__ == "__main__":
    main()
