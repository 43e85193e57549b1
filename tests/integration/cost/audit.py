"""Runs agents, and compares what the product says of money with a bill that is made by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.testing import Instance
from tests.integration.chat import Frame, chatting
from tests.integration.cost.bill import FIVE, PUBLISHED, READ, Rates, Used, nano, total
from tests.integration.cost.vendor import Vendor
from tests.integration.rest import AGENTS, Rest
from tests.integration.runner.workers import kill_workers

Json = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """What one call of a model must come to: its usage, its price and how many steps are without one."""

    used: Used | None
    amount: int | None
    unpriced: int = 0

    @property
    def cost(self) -> Json:
        return {"amount_nanousd": self.amount, "unpriced_steps": self.unpriced}


LOST = Line(None, None, 1)
"""A call that broke off: it is charged for, and nobody says how much."""


def line(provider: str, raw: Json, prices: str | Rates | None, unpriced: int = 0) -> Line:
    """By the vendor's own numbers."""
    used = READ[provider](raw)
    if prices is None:
        return Line(used, None, 1)
    known = PUBLISHED[prices] if isinstance(prices, str) else prices
    return Line(used, nano(used.dollars(known)), unpriced)


@dataclass
class Audit:
    """Of a running stack."""

    stack: Instance
    rest: Rest
    vendor: Vendor

    def agent(self, provider: str, model: str, *tools: Json, options: Json | None = None, **fields: Any) -> str:
        """An agent of that model, with these tools."""
        config: Json = {"provider": provider, "model": model}
        if provider == "openai_compatible":
            config["base_url"] = f"{self.vendor.url}/v1"
        if options:
            config["options"] = options
        agent = str(self.rest.create(model_config=config, **fields)["id"])
        for tool in tools:
            answer = self.rest("POST", f"{AGENTS}/{agent}/tools", tool)
            assert answer.status == 201, answer.body
        return agent

    def forget(self) -> None:
        """Runners know prices for a minute: those that run begin anew."""
        kill_workers(self.stack)

    def ask(self, agent: str) -> Frame:
        """The end of a run."""
        with chatting(self.stack, agent) as chat:
            return chat.ask("Go")

    def run(self, run_id: str) -> Json:
        """As REST shows it."""
        shown: Json = self.rest("GET", f"/api/v1/runs/{run_id}").json
        return shown

    def check(self, agent: str, end: Frame, lines: Sequence[Line]) -> Json:
        """That the steps have these lines in this order, and that everything above them is their sum."""
        run = self.run(end["run_id"])
        steps = [step for step in flat(run["steps"]) if step["kind"] == "model"]
        told = [(step["usage"], step["cost"]) for step in steps]
        expected = [
            (one.used.five if one.used else None, one.cost if one.cost["unpriced_steps"] or one.used else None)
            for one in lines
        ]
        assert told == expected
        amounts = [one.amount for one in lines if one.amount is not None]
        cost = {
            "amount_nanousd": sum(amounts) if amounts else None,
            "unpriced_steps": sum(one.unpriced for one in lines),
        }
        usage = total(one.used for one in lines if one.used)
        conversation = self.rest("GET", f"/api/v1/conversations/{run['conversation_id']}").json
        for of_all in (run, conversation, end, self.usage(agent)["total"]):
            if "usage" in of_all:
                assert {name: of_all["usage"][name] for name in FIVE} == usage
                assert of_all["cost"] == cost
        self._check_models(agent, steps, lines)
        return run

    def usage(self, agent: str, group_by: str = "day", runs: int = 1) -> Json:
        """The aggregates, when so many runs are in them."""
        deadline = time.monotonic() + 20
        while True:
            report: Json = self.rest("GET", f"/api/v1/usage?agent_id={agent}&group_by={group_by}").json
            if report["total"]["runs"] >= runs:
                assert report["total"]["runs"] == runs
                return report
            assert time.monotonic() < deadline, "what the run used was not added up"
            time.sleep(0.05)

    def _check_models(self, agent: str, steps: Sequence[Json], lines: Sequence[Line]) -> None:
        sums: dict[tuple[Any, Any], list[int]] = {}
        by_name = {step["model"]: step["provider"] for step in steps if step["model"]}
        for step, one in zip(steps, lines, strict=True):
            names = (step["provider"], step["model"])
            if names == (None, None) and len(by_name) == 1:  # it broke off before it could say: it is the agent's own
                names = next((provider, model) for model, provider in by_name.items())
            amounts = sums.setdefault(names, [0, 0])
            amounts[0] += one.amount or 0
            amounts[1] += one.unpriced
        told = {
            (item["provider"], item["model"]): [item["cost"]["amount_nanousd"] or 0, item["cost"]["unpriced_steps"]]
            for item in self.usage(agent, "model")["items"]
        }
        assert told == sums


def flat(steps: Sequence[Json]) -> list[Json]:
    """Steps with those inside of them, by number."""
    found = [one for step in steps for one in (step, *flat(step["steps"]))]
    return sorted(found, key=lambda step: int(step["number"]))
