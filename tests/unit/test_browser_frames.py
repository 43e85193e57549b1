"""What `benchmarks.console_streaming` says of a trace."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.answers import KINDS, pieces
from benchmarks.browser_frames import bursts, work


def event(name: str, ts: int, dur: int, tid: int = 1, **more: Any) -> dict[str, Any]:
    """One event of a trace, whose thread had the processor half of the time. Microseconds."""
    cat = "blink.user_timing" if name in ("begin", "end") else "toplevel"
    return {"name": name, "cat": cat, "ph": "X", "pid": 1, "tid": tid, "ts": ts, "dur": dur, "tdur": dur // 2} | more


def task(ts: int, dur: int, *inside: dict[str, Any], tid: int = 1) -> list[dict[str, Any]]:
    return [event("ThreadControllerImpl::RunTask", ts, dur, tid), *inside]


TRACE = [
    event("begin", 1_000, 0),
    event("end", 100_000, 0),
    *task(2_000, 10_000, event("FireAnimationFrame", 3_000, 4_000), event("Layout", 8_000, 2_000)),
    *task(13_000, 6_000),
    *task(20_000, 40_000, event("FireAnimationFrame", 21_000, 1_000), event("MinorGC", 21_200, 400)),
    *task(21_100, 500),
    *task(25_000, 50_000, tid=2),
    *task(200_000, 10_000),
]


def test_a_frame_is_the_task_of_its_callbacks_and_those_that_follow() -> None:
    """Tasks inside of others, of other threads and after the end are left out."""
    assert work(TRACE, "begin", "end").frames == (8.0, 20.0)


def test_kinds_count_each_moment_once() -> None:
    kinds = work(TRACE, "begin", "end").kinds
    assert kinds["layout"] == 1.0
    assert kinds["gc"] == pytest.approx(0.2)
    assert sum(kinds.values()) == pytest.approx(28.0)


def test_a_trace_without_marks_is_refused() -> None:
    with pytest.raises(LookupError):
        work(TRACE, "other", "end")


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], 0),
        ([60, 60, 10, 60, 60], 0),
        ([60, 60, 60], 1),
        ([60, 60, 60, 200, 60], 1),
        ([10, 151, 10], 1),
        ([151, 10, 60, 60, 60, 10, 151], 3),
    ],
)
def test_bursts(frames: list[float], expected: int) -> None:
    assert bursts(frames) == expected


def test_shares_of_the_frames() -> None:
    found = work(TRACE, "begin", "end").slowed(4)
    assert (found.median, found.longest, found.above(50), found.bursts) == (56.0, 80.0, 1, 0)
    assert found.quarters() == [32.0, 80.0]


@pytest.mark.parametrize("kind", KINDS)
def test_answers_have_as_many_words_as_are_asked_for(kind: str) -> None:
    found = pieces(kind, 300)
    assert len(found) == len("".join(found).split()) == 300
    assert "".join(found) == "".join(pieces(kind, 400))[: len("".join(found))]
