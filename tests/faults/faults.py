"""What may go wrong, and where: faults that the proxy, the model and the tools' server carry out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

# What a fault does to a call. `before` it is carried out, or `after` that, while its answer is on the way.
KILL = "kill"  # SIGKILL the process that called
PAUSE = "pause"  # SIGSTOP it, go on after `seconds`
DROP = "drop"  # cut the connection: whether it was carried out is not known to the caller
HOLD = "hold"  # let it wait for `seconds`
REFUSE = "refuse"  # answer with `code`, without carrying it out; after: although it was
LOSE = "lose"  # say yes and do nothing
DOUBLE = "double"  # carry it out twice, the second time `seconds` later


@dataclass
class Fault:
    """Strikes the calls of one point, from the `nth` on, as often as `times` says.

    Attributes:
        point: Name of the calls, or a pattern of names.
        action: One of the constants above.
        when: `before` or `after` the call is carried out.
        nth: The first call of the point that is struck.
        times: How many are struck.
        seconds: For what takes time.
        code: For `REFUSE`: an HTTP status, or the name of an error of DynamoDB.
        function: Only calls of this function, where that matters.
    """

    point: str
    action: str
    when: str = "before"
    nth: int = 1
    times: int = 1
    seconds: float = 0.0
    code: str = ""
    function: str = ""
    met: int = field(default=0, compare=False)
    struck: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """What the report calls it."""
        detail = f" {self.code}" if self.code else ""
        nth = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.action}{detail} {self.when} {self.point}{nth}"

    def strikes(self, point: str, function: str) -> bool:
        """Whether it strikes this call; counts the calls of its point."""
        if not fnmatchcase(point, self.point) or (self.function and function != self.function):
            return False
        self.met += 1
        if self.met < self.nth or self.struck >= self.times:
            return False
        self.struck += 1
        return True


@dataclass
class Plan:
    """The faults of every case, and which case a call belongs to.

    A call is known by the mark of a message in it (`[[case.number]]`), or by a conversation or run that was seen beside
    a mark before. `*` is the case of calls that belong to none.
    """

    faults: dict[str, list[Fault]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    points: dict[str, Counter[str]] = field(default_factory=dict)
    runners: set[int] = field(default_factory=set)

    def add(self, case: str, *faults: Fault) -> None:
        """Plan faults for a case."""
        self.faults.setdefault(case, []).extend(faults)

    def strike(self, case: str, point: str, function: str) -> Fault | None:
        """The fault that strikes this call, if one does."""
        self.points.setdefault(case, Counter())[f"{function}:{point}"] += 1
        return next((fault for fault in self.faults.get(case, ()) if fault.strikes(point, function)), None)


def refusal(code: str, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """An answer of AWS that says no: status, headers, body."""
    if code.isdigit():
        kinds = {"410": "GoneException", "413": "PayloadTooLargeException", "429": "LimitExceededException"}
        kind = kinds.get(code, "InternalServerError")
        return int(code), {"x-amzn-ErrorType": kind}, json.dumps({"message": kind}).encode()
    answer: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}
    if operation == "TransactWriteItems":
        reason = {"TransactionConflictException": "TransactionConflict"}.get(code, "ThrottlingError")
        count = len(body.get("TransactItems", []))
        answer["__type"] = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        reasons = [{"Code": reason, "Message": reason}, *({"Code": "None"} for _ in range(count - 1))]
        answer["CancellationReasons"] = reasons
        answer["Message"] = answer["message"] = f"Transaction cancelled [{', '.join(r['Code'] for r in reasons)}]"
    status = 500 if code == "InternalServerError" else 400
    return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(answer).encode()
