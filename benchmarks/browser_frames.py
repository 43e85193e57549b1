"""What a browser's trace says about its work: processor time of the main thread, by animation frame and by kind.

Wall-clock time between frames is also that of whatever else the machine does. The time that the *thread* had the
processor (`tdur`) is the page's own: a busy machine makes frames late, but hardly dearer. Slowing the processor
(`Emulation.setCPUThrottlingRate`) holds the thread by letting it spin, which counts as its time: 4 times slower shows
as 4 times the time (4.1 was measured).

An animation frame is here the task that calls the page's animation callbacks, and all tasks of the thread until the
next such. A *burst* is one frame above 150 ms of the thread's time, or three in a row above 50 ms.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CATEGORIES = ("toplevel", "devtools.timeline", "v8", "blink.user_timing")
LONG = 50.0
TOO_LONG = 150.0
ROW = 3

_TASK = "ThreadControllerImpl::RunTask"
_CALLBACKS = "FireAnimationFrame"
_KINDS = {
    "layout": ("Layout", "UpdateLayoutTree", "ScheduleStyleRecalculation", "HitTest"),
    "paint": ("PrePaint", "Paint", "Layerize", "UpdateLayer", "Commit", "CompositeLayers", "UpdateLayerTree"),
    "gc": ("MinorGC", "MajorGC", "BlinkGC.AtomicPhase"),
    "script": (
        "FunctionCall", "EvaluateScript", "FireAnimationFrame", "TimerFire", "RunMicrotasks", "EventDispatch",
        "WebSocketReceive", "XHRReadyStateChange", "v8.callFunction", "v8.run", "ParseHTML", "v8.newInstance",
    ),
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}


@dataclass(frozen=True)
class Work:
    """What the main thread did between two marks; milliseconds of its own time."""

    frames: tuple[float, ...]
    kinds: Mapping[str, float]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.frames)

    @property
    def median(self) -> float:
        """Half of the frames took less."""
        return statistics.median(self.frames) if self.frames else 0.0

    def percentile(self, share: float) -> float:
        """What that share of the frames stayed below."""
        return sorted(self.frames)[min(len(self.frames) - 1, int(len(self.frames) * share))] if self.frames else 0.0

    @property
    def longest(self) -> float:
        """The dearest frame."""
        return max(self.frames, default=0.0)

    def above(self, limit: float) -> int:
        """How many frames took more."""
        return sum(frame > limit for frame in self.frames)

    @property
    def bursts(self) -> int:
        """Runs of long frames, and frames that are too long alone."""
        return bursts(self.frames)

    def quarters(self) -> list[float]:
        """The total by quarter: what grows with the text grows from one to the next."""
        size = -(-len(self.frames) // 4) or 1
        return [sum(self.frames[start : start + size]) for start in range(0, len(self.frames), size)]

    def slowed(self, times: float) -> Work:
        """As if the processor were so many times slower."""
        return Work(tuple(frame * times for frame in self.frames), {k: v * times for k, v in self.kinds.items()})


def bursts(frames: Sequence[float]) -> int:
    """How many runs of frames people see as a jerk."""
    found = row = 0
    counted = False
    for frame in frames:
        row = row + 1 if frame > LONG else 0
        counted = counted and row > 0
        if not counted and (row >= ROW or frame > TOO_LONG):
            found += 1
            counted = True
    return found


def work(events: Iterable[Mapping[str, Any]], begin: str, end: str) -> Work:
    """The work of the thread that set both marks (`performance.mark`), between them."""
    known = list(events)
    thread, since = _mark(known, begin)
    _, until = _mark(known, end)
    mine = [
        event
        for event in known
        if event["ph"] == "X" and (event["pid"], event["tid"]) == thread and since <= event["ts"] <= until
    ]
    mine.sort(key=lambda event: (event["ts"], -event.get("dur", 0)))
    return Work(tuple(_frames(mine)), _kinds(mine))


def _mark(events: list[Mapping[str, Any]], name: str) -> tuple[tuple[int, int], int]:
    for event in events:
        if event["name"] == name and "blink.user_timing" in event["cat"]:
            return (event["pid"], event["tid"]), event["ts"]
    raise LookupError(f"The trace has no mark {name}.")


def _frames(events: list[Mapping[str, Any]]) -> list[float]:
    """The time of each frame. Callbacks come after the beginning of their task, so a task is added once it is known."""
    starts = sorted(event["ts"] for event in events if event["name"] == _CALLBACKS)
    found: list[float] = []
    position = until = 0
    for task in (event for event in events if event["name"] == _TASK):
        if task["ts"] < until:
            continue  # a task inside of a task
        until = task["ts"] + task.get("dur", 0)
        calls = False
        while position < len(starts) and starts[position] <= until:
            calls = True
            position += 1
        if calls or not found:
            found.append(0.0)
        found[-1] += task.get("tdur", 0) / 1000
    return found


def _kinds(events: list[Mapping[str, Any]]) -> dict[str, float]:
    """Time by kind; that of an event without a kind is of the event around it."""
    total: dict[str, float] = defaultdict(float)
    around: list[tuple[int, str]] = []
    for event in events:
        while around and around[-1][0] <= event["ts"]:
            around.pop()
        kind = _KIND_OF.get(event["name"], around[-1][1] if around else "other")
        spent = event.get("tdur", 0) / 1000
        total[kind] += spent
        if around:
            total[around[-1][1]] -= spent
        around.append((event["ts"] + event.get("dur", 0), kind))
    return dict(total)
