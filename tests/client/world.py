"""A server that tells of one run, and a road on which its frames get lost, come twice or late. Chance is passed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from web.client.python.answer import FENCE, STORED
from web.client.python.utf16 import length

Frame = dict[str, Any]
IDS = {"conversation_id": "cnv_1", "run_id": "run_1", "message_id": "msg_2"}
PIECES = ("Good ", "day", "\U0001f680", "\U0001f600\U0001f600", " and\n", "é", "x" * 7, "a", "a", "ba")
SNAPSHOT_UNITS = 12
TOTALS = {"usage": {"input_tokens": 1}, "cost": None}


@dataclass
class Server:
    """The run as it truly is, `parts`, and the frames that tell of it."""

    chance: Random
    fence: int = 1
    number: int = 0
    step: int = 0
    calls: int = 0
    parts: list[Frame] = field(default_factory=list)
    checkpoint: list[Frame] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(part["text"] for part in self.parts if part["type"] == "text")

    def act(self) -> list[Frame]:
        """Something happens; the frames that tell of it."""
        deeds = (self.say, self.say, self.say, self.think, self.use_tool, self.withdraw, self.die)
        return list(self.chance.choice(deeds)())

    def say(self) -> Iterator[Frame]:
        piece = self.chance.choice(PIECES)
        offset = length(self.text)
        self._add("text", piece)
        yield self._frame("content_delta", delta=piece, offset=offset)

    def think(self) -> Iterator[Frame]:
        piece = self.chance.choice(("hm ", "so "))
        self._add("thinking", piece)
        yield self._frame("thinking_delta", delta=piece)

    def use_tool(self) -> Iterator[Frame]:
        """A tool is called and answers: the step is done, and what has been said can be withdrawn no more."""
        self.calls += 1
        about = {"tool_use_id": f"t{self.calls}"}
        yield self._frame("tool_use_start", **about, tool_name="clock", input={"n": self.calls})
        result = {"result": {"time": self.calls}, "duration_ms": 1}
        self.parts.append({"type": "tool_call", **about, "name": "clock", "input": {"n": self.calls}})
        self.parts.append({"type": "tool_result", **about, "name": "clock", **result})
        yield self._frame("tool_use_complete", **about, tool_name="clock", **result)
        self.checkpoint = [dict(part) for part in self.parts]
        self.step += 1

    def withdraw(self) -> Iterator[Frame]:
        """The step broke and is said again from its beginning."""
        self.parts = [dict(part) for part in self.checkpoint]
        yield self._frame("step_reset", step_id=f"stp_{self.step}", offset=length(self.text))

    def die(self) -> Iterator[Frame]:
        """Another runner takes over: from the last finished step, or from the beginning of the run."""
        self.fence += self.chance.choice((1, 1, 3))
        self.number = 0
        whole = self.chance.random() < 0.5
        if whole:
            self.checkpoint = []
        self.parts = [dict(part) for part in self.checkpoint]
        step = IDS["run_id"] if whole else f"stp_{self.step}"
        yield self._frame("step_reset", step_id=step, offset=length(self.text))

    def snapshot(self, *, ended: bool = False) -> list[Frame]:
        """What `resume` is answered with; parts only where they would fit, a long text in pieces."""
        text, seq = self.text, STORED if ended else self.fence * FENCE + self.number
        fits = self.chance.random() < 0.5
        cuts = [text[start : start + SNAPSHOT_UNITS] for start in range(0, len(text), SNAPSHOT_UNITS)] or [""]
        first, more = (text, []) if fits else (cuts[0], cuts[1:])
        about = {
            "parts": [dict(part) for part in self.parts] if fits else [],
            "status": "completed" if ended else "running",
        }
        frames = [{"type": "content_snapshot", **IDS, "content": first, "offset": 0, "seq": seq, **about}]
        offset = length(first)
        for piece in more:
            frames.append({"type": "content_delta", **IDS, "delta": piece, "offset": offset, "seq": seq})
            offset += length(piece)
        return [*frames, self.end()] if ended else frames

    def end(self) -> Frame:
        told = {"content": self.text} if self.chance.random() < 0.5 else {"truncated": True}
        return {"type": "message_complete", **IDS, **told, "stop_reason": "end_turn", **TOTALS}

    def stored(self) -> list[Frame]:
        """The conversation by REST."""
        common = {"run_id": IDS["run_id"], "created_at": "2026-01-01T00:00:00Z"}
        ended = {"status": "completed", "stop_reason": "end_turn", **TOTALS}
        question = {"id": "msg_1", "role": "user", "content": "?", "parts": [{"type": "text", "text": "?"}], **common}
        answer = {"id": "msg_2", "role": "assistant", "content": self.text, "parts": self.parts, **common, **ended}
        return [answer, question]

    def _add(self, kind: str, piece: str) -> None:
        last = self.parts[-1] if self.parts else None
        if last and last["type"] == kind:
            last["text"] += piece
        else:
            self.parts.append({"type": kind, "text": piece})

    def _frame(self, kind: str, **fields: Any) -> Frame:
        self.number += self.chance.choice((1, 1, 2))
        return {"type": kind, **IDS, **fields, "seq": self.fence * FENCE + self.number}


@dataclass
class Road:
    """What lies between server and client. A connection that is cut loses frames until it is resumed."""

    chance: Random
    sent: list[Frame] = field(default_factory=list)
    cut: bool = False

    def carry(self, frames: list[Frame]) -> list[Frame]:
        """What arrives of these, with doubles."""
        self.sent += frames
        arrived = []
        for frame in frames if not self.cut else []:
            arrived.append(frame)
            if self.chance.random() < 0.2:
                arrived.append(self.chance.choice(self.sent[-6:]) if self.chance.random() < 0.3 else frame)
        return arrived

    def late(self) -> list[Frame]:
        """Frames of the connection before, behind those of the new one."""
        return [frame for frame in self.sent[-5:] if self.chance.random() < 0.3]


def cuts_and_resumes(chance: Random, turns: int) -> tuple[list[Frame], Server]:
    """Frames as they reach a client that resumes after every cut, the last resume and the end among them."""
    server, road = Server(chance), Road(chance)
    arrived: list[Frame] = []
    for _ in range(turns):
        arrived += road.carry(server.act())
        if chance.random() < 0.15:
            road.cut = True
        if road.cut and chance.random() < 0.5:
            late = road.late()
            road.cut = False
            arrived += [*server.snapshot(), *late]
    if road.cut:
        arrived += server.snapshot(ended=True)
    else:
        arrived.append(server.end())
    return arrived, server


def several_runs(chance: Random, turns: int) -> list[dict[str, Any]]:
    """Steps of a conversation with three runs: frames that get lost, a cancel, and runs that are given up."""
    roads = []
    for number in (1, 2, 3):
        ids = {"run_id": f"run_{number}", "message_id": f"msg_{2 * number}"}
        frames = [frame | ids for frame in cuts_and_resumes(chance, turns)[0]]
        if chance.random() < 0.3:
            end = {"type": "run_cancelled", **IDS, **ids, **TOTALS, "content": ""}
            frames = [*frames[: len(frames) // 3], end]
        accepted = {"type": "message_accepted", **IDS, **ids, "queued": number > 1}
        roads.append([accepted, *(frame for frame in frames if chance.random() < 0.7)])
    steps: list[dict[str, Any]] = []
    while any(roads):
        road = chance.choice([road for road in roads if road])
        steps.append({"frame": road.pop(0)})
        if chance.random() < 0.05:
            steps.append({"close": {"run": chance.choice(("run_1", "run_2", "run_3", "run_9"))}})
    return steps


def any_frames(chance: Random, turns: int) -> list[Frame]:
    """Frames that no server would send like this: lost, shuffled, of several runners at once."""
    frames, _ = cuts_and_resumes(chance, turns)
    kept = [frame for frame in frames if chance.random() < 0.7]
    kept += [chance.choice(frames) for _ in range(len(frames) // 3)]
    for _ in range(len(kept) // 2):
        one, other = chance.randrange(len(kept)), chance.randrange(len(kept))
        kept[one], kept[other] = kept[other], kept[one]
    return kept
