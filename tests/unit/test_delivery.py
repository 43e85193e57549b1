"""Delivery of frames to connections, over a poster that answers as the test says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.metrics import Metrics
from agent_builder.realtime.connections import Posted, watcher, watching
from agent_builder.realtime.delivery import Delivery
from agent_builder.realtime.frames import FRAME_LIMIT, Frame, utf16_length


class Recorder:
    """Keeps what was posted; a connection's answers are taken from its list, then it is `SENT`. Can be held up."""

    def __init__(self) -> None:
        self.frames: dict[str, list[Frame]] = defaultdict(list)
        self.answers: dict[str, list[Posted]] = defaultdict(list)
        self.refused: dict[str, list[Posted]] = defaultdict(list)
        self.in_flight: dict[str, int] = defaultdict(int)
        self.most_in_flight = 0
        self.free = threading.Event()
        self.free.set()
        self.posting = threading.Event()
        self._lock = threading.Lock()

    def post(self, connection_id: str, data: bytes) -> Posted:
        assert len(data) <= FRAME_LIMIT
        with self._lock:
            self.in_flight[connection_id] += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight[connection_id])
        self.posting.set()
        assert self.free.wait(10)
        with self._lock:
            self.in_flight[connection_id] -= 1
        answer = self.answers[connection_id].pop(0) if self.answers[connection_id] else Posted.SENT
        if answer is not Posted.SENT:
            self.refused[connection_id].append(answer)
        else:
            self.frames[connection_id].append(json.loads(data))
        return answer

    def text(self, connection_id: str) -> str:
        return "".join(frame["delta"] for frame in self.frames[connection_id] if "delta" in frame)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def poster() -> Recorder:
    return Recorder()


def delta(text: str, seq: int, offset: int, kind: str = "content_delta") -> Frame:
    return {"type": kind, "delta": text, "seq": seq, "offset": offset}


async def _until(happened: threading.Event) -> None:
    assert await asyncio.get_running_loop().run_in_executor(None, happened.wait, 10)


async def test_who_resumes_gets_what_comes_now_behind_what_is_on_its_way(
    poster: Recorder, executor: ThreadPoolExecutor
) -> None:
    delivery = _watching(poster, executor, "a")
    poster.free.clear()
    delivery.send(delta("on its way", 1, 0))
    await _until(poster.posting)
    delivery.send(delta("forgotten", 2, 10))
    assert delivery.watch(frozenset({"a"}), anew=frozenset({"a"})) == {"a"}
    delivery.send({"type": "content_snapshot", "seq": 3})
    poster.free.set()
    await delivery.flush()
    assert [frame["seq"] for frame in poster.frames["a"]] == [1, 3]


def _watching(poster: Recorder, executor: ThreadPoolExecutor, *names: str, **options: Any) -> Delivery:
    delivery = Delivery(poster, executor, **options)
    assert delivery.watch(frozenset(names)) == set(names)
    return delivery


async def test_the_first_delta_goes_at_once_and_the_rest_is_merged(
    poster: Recorder, executor: ThreadPoolExecutor
) -> None:
    delivery = _watching(poster, executor, "a")
    poster.free.clear()
    delivery.send(delta("Hel", 1, 0))
    await _until(poster.posting)
    for number, char in enumerate("lo you"):
        delivery.send(delta(char, 2 + number, 3 + number))
    poster.free.set()
    await delivery.flush()
    assert poster.frames["a"] == [delta("Hel", 1, 0), delta("lo you", 7, 3)]


async def test_at_most_one_post_is_in_flight_a_connection(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    delivery = _watching(poster, executor, "a", "b")
    for number in range(200):
        delivery.send({"type": "tool_use_start", "seq": number})
        if number % 20 == 0:
            await asyncio.sleep(0)
    await delivery.flush()
    assert poster.most_in_flight == 1
    for name in "ab":
        assert [frame["seq"] for frame in poster.frames[name]] == list(range(200))


async def test_kinds_of_deltas_are_not_mixed(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    delivery = _watching(poster, executor, "a")
    poster.free.clear()
    for number, kind in enumerate(["content_delta", "thinking_delta", "thinking_delta", "content_delta", "pong"]):
        delivery.send(delta(str(number), number, number, kind))
    poster.free.set()
    await delivery.flush()
    assert [(frame["type"], frame["delta"]) for frame in poster.frames["a"]] == [
        ("content_delta", "0"),
        ("thinking_delta", "12"),
        ("content_delta", "3"),
        ("pong", "4"),
    ]


def inner(name: str, text: str, seq: int, offset: int) -> Frame:
    return {**delta(text, seq, offset, "tool_output_delta"), "tool_use_id": name}


async def test_who_speaks_side_by_side_is_merged_with_himself_and_each_is_heard(
    poster: Recorder, executor: ThreadPoolExecutor
) -> None:
    delivery = _watching(poster, executor, "a")
    poster.free.clear()
    delivery.send(inner("one", "0", 0, 0))
    await _until(poster.posting)
    for number in range(1, 5):
        delivery.send(inner("one", str(number), 2 * number, number))
        delivery.send(inner("two", str(number), 2 * number + 1, number))
    poster.free.set()
    poster.posting.clear()
    await delivery.flush()
    assert poster.frames["a"] == [inner("one", "0", 0, 0), inner("one", "1234", 8, 1), inner("two", "1234", 9, 1)]


async def test_text_that_was_taken_back_is_not_merged_with_what_follows(
    poster: Recorder, executor: ThreadPoolExecutor
) -> None:
    delivery = _watching(poster, executor, "a")
    poster.free.clear()
    sent = [inner("one", "abc", 1, 0), inner("one", "x", 2, 1), inner("one", "y", 3, 2)]
    for frame in sent:
        delivery.send(frame)
    poster.free.set()
    await delivery.flush()
    assert [(frame["delta"], frame["offset"]) for frame in poster.frames["a"]] == [("abc", 0), ("xy", 1)]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.text("xy😀", min_size=1, max_size=4), st.integers(0, 5)), max_size=40)
)
def test_whatever_is_merged_each_text_inside_is_whole(said: list[tuple[str, str, int]]) -> None:
    """Texts grow and are taken back; whoever keeps what is before `offset` and appends has them."""
    texts = dict.fromkeys("abc", "")

    async def deliver() -> None:
        with ThreadPoolExecutor(2) as executor:
            delivery = _watching(poster, executor, "a")
            for number, (name, text, back) in enumerate(said):
                kept = texts[name][: len(texts[name]) - back] if number % 7 == 0 else texts[name]
                delivery.send(inner(name, text, number, utf16_length(kept)))
                texts[name] = kept + text
                if number % 3 == 0:
                    await asyncio.sleep(0)
            await delivery.flush()

    poster = Recorder()
    asyncio.run(deliver())
    shown = dict.fromkeys("abc", "")
    for frame in poster.frames["a"]:
        before = shown[frame["tool_use_id"]].encode("utf-16-le")[: 2 * frame["offset"]].decode("utf-16-le")
        shown[frame["tool_use_id"]] = before + frame["delta"]
    assert shown == texts
    seqs = [frame["seq"] for frame in poster.frames["a"]]
    assert seqs == sorted(set(seqs))


async def test_order_is_kept_behind_a_delta_that_waits(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    delivery = _watching(poster, executor, "a")
    delivery.send(delta("a", 1, 0))
    await delivery.flush()
    delivery.send(delta("b", 2, 1))
    delivery.send({"type": "message_complete"})
    await delivery.flush()
    assert [frame["type"] for frame in poster.frames["a"]] == ["content_delta", "content_delta", "message_complete"]


async def test_a_connection_that_is_gone_is_forgotten(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    delivery = _watching(poster, executor, "gone", "here")
    poster.answers["gone"] = [Posted.GONE]
    for number in range(5):
        delivery.send({"type": "x", "seq": number})
    await delivery.flush()
    assert delivery.gone == {"gone"}
    assert poster.frames["gone"] == []
    assert len(poster.frames["here"]) == 5
    delivery.send({"type": "x", "seq": 6})
    await delivery.flush()
    assert poster.frames["gone"] == []


async def test_nothing_is_posted_behind_the_end_of_a_sign_in(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    """However silent its connection is; and it is then told to be gone, so that the lease forgets it."""
    now = 1_000_000
    delivery = _watching(poster, executor, "brief@1001", "long@2000", "ever", clock=lambda: now)
    delivery.send({"type": "x", "seq": 1})
    await delivery.flush()
    assert delivery.gone == set()
    poster.answers["brief"] = [Posted.THROTTLED]
    delivery.send({"type": "x", "seq": 2})
    now = 1_001_000  # what is on its way, or is tried again, is dropped as well
    delivery.send({"type": "x", "seq": 3})
    await delivery.flush()
    assert delivery.gone == {"brief@1001"}
    assert [frame["seq"] for frame in poster.frames["brief"]] == [1]
    assert [frame["seq"] for frame in poster.frames["long"]] == [1, 2, 3] == [f["seq"] for f in poster.frames["ever"]]


@pytest.mark.parametrize("answer", [Posted.THROTTLED, Posted.FAILED])
async def test_what_was_not_taken_is_sent_again_and_nothing_is_lost(
    answer: Posted, poster: Recorder, executor: ThreadPoolExecutor
) -> None:
    lines: list[str] = []
    metrics = Metrics(lines.append)
    delivery = _watching(poster, executor, "slow", metrics=metrics)
    poster.answers["slow"] = [answer, answer]
    delivery.send(delta("a", 1, 0))
    await _until(poster.posting)
    delivery.send(delta("b", 2, 1))
    delivery.send(delta("c", 3, 2))
    delivery.send({"type": "message_complete"})
    await delivery.flush()
    assert poster.text("slow") == "abc"
    assert poster.frames["slow"][-1]["type"] == "message_complete"
    assert poster.refused["slow"] == [answer, answer]
    metrics.flush()
    assert [json.loads(line)["MergedFrames"] for line in lines] == [[1]]
    assert delivery.gone == frozenset()


async def test_a_frame_that_is_never_taken_ends_the_connection(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    delivery = _watching(poster, executor, "a")
    poster.answers["a"] = [Posted.TOO_LARGE]
    delivery.send({"type": "x"})
    delivery.send({"type": "y"})
    await delivery.flush()
    assert delivery.gone == {"a"}
    assert poster.frames["a"] == []


async def test_a_slow_connection_does_not_hold_up_another(executor: ThreadPoolExecutor) -> None:
    free, quick = threading.Event(), threading.Event()

    class OneSlow(Recorder):
        def post(self, connection_id: str, data: bytes) -> Posted:
            if connection_id == "slow":
                assert free.wait(10)
            elif json.loads(data)["type"] == "message_complete":
                quick.set()
            return super().post(connection_id, data)

    poster = OneSlow()
    delivery = _watching(poster, executor, "slow", "quick")
    delivery.send(delta("a", 1, 0))
    delivery.send({"type": "message_complete"})
    await _until(quick)
    assert poster.frames["slow"] == []
    free.set()
    await delivery.flush()
    assert len(poster.frames["slow"]) == 2


async def test_a_frame_for_some_reaches_only_them(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    delivery = _watching(poster, executor, "a", "b")
    assert delivery.watch(frozenset({"b", "c"})) == {"c"}
    delivery.send({"type": "content_snapshot"}, only=frozenset({"c"}))
    delivery.send({"type": "x"})
    await delivery.flush()
    assert [frame["type"] for frame in poster.frames["a"]] == ["x"]
    assert [frame["type"] for frame in poster.frames["c"]] == ["content_snapshot", "x"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), min_size=1, max_size=30))
def test_whatever_is_merged_every_delta_stands_at_its_offset(pieces: list[str]) -> None:
    async def deliver() -> None:
        with ThreadPoolExecutor(2) as executor:
            delivery = _watching(poster, executor, "a")
            offset = 0
            for number, piece in enumerate(pieces):
                delivery.send(delta(piece, number, offset))
                offset += utf16_length(piece)
                if number % 3 == 0:
                    await asyncio.sleep(0)
            await delivery.flush()

    poster = Recorder()
    asyncio.run(deliver())
    offset, seq = 0, -1
    for frame in poster.frames["a"]:
        assert frame["offset"] == offset
        assert frame["seq"] > seq
        offset, seq = offset + utf16_length(frame["delta"]), frame["seq"]
    assert poster.text("a") == "".join(pieces)


async def test_a_long_delta_is_split_below_the_frame_limit(poster: Recorder, executor: ThreadPoolExecutor) -> None:
    text = '😀\u0001"ä' * 20_000
    delivery = _watching(poster, executor, "a")
    delivery.send(delta(text, 1, 0))
    await delivery.flush()
    assert poster.text("a") == text
    assert len(poster.frames["a"]) > 5
    offset = 0
    for frame in poster.frames["a"]:
        assert frame["offset"] == offset
        offset += utf16_length(frame["delta"])


@pytest.mark.parametrize("expires_at", [0, 1_900_000_000])
def test_watchers_are_read_as_they_are_written(expires_at: int) -> None:
    assert watching(watcher("L0SM9cOFvHcCIAw=", expires_at)) == ("L0SM9cOFvHcCIAw=", expires_at)
