"""Who greets a connection, and that nobody speaks before."""

from __future__ import annotations

from typing import Any, cast

from agent_builder.errors import Conflict
from agent_builder.jsontext import decode
from agent_builder.models.identity import Identity
from agent_builder.realtime.connections import Connections, Posted
from agent_builder.services.greeting import Greeter
from agent_builder.services.intake import Intake

ME = Identity("t", "ann", "agt_1")


class FakeIntake:
    """A connection whose greeting is `due`, and an agent that may refuse."""

    def __init__(self, state: str | None = "due", refusal: Exception | None = None) -> None:
        self.state, self.refusal = state, refusal

    def greeting(self, tenant: str, connection_id: str) -> str | None:
        return self.state

    def claim_greeting(self, tenant: str, connection_id: str) -> bool:
        claimed, self.state = self.state == "due", "claimed" if self.state == "due" else self.state
        return claimed

    def greeting_done(self, tenant: str, connection_id: str) -> None:
        assert self.state == "claimed"
        self.state = "done"

    def agent(self, identity: Identity, agent_id: str) -> Any:
        if self.refusal:
            raise self.refusal
        return type("Agent", (), {"id": agent_id})


class FakeConnections:
    """Keeps what was posted; the first posts are answered as given."""

    def __init__(self, *answers: Posted) -> None:
        self.answers = list(answers)
        self.frames: list[dict[str, Any]] = []
        self.closed: list[str] = []

    def post(self, connection_id: str, data: bytes) -> Posted:
        answer = self.answers.pop(0) if self.answers else Posted.SENT
        if answer is Posted.SENT:
            self.frames.append(decode(data, limit=40_000))
        return answer

    def close(self, connection_id: str) -> None:
        self.closed.append(connection_id)


def greeter(intake: FakeIntake, connections: FakeConnections, waits: list[float] | None = None, **more: Any) -> Greeter:
    pauses = waits if waits is not None else []
    sleep = more.get("sleep", pauses.append)
    return Greeter(cast(Intake, intake), cast(Connections, connections), sleep)


def test_the_first_greets_and_nobody_else() -> None:
    intake, connections = FakeIntake(), FakeConnections()
    assert greeter(intake, connections).greet(ME, "c")
    assert not greeter(intake, connections).greet(ME, "c")
    assert connections.frames == [{"type": "agent_loaded", "agent_id": "agt_1"}]
    assert intake.state == "done"


def test_a_connection_that_is_not_open_yet_is_tried_again() -> None:
    connections, waits = FakeConnections(Posted.GONE, Posted.GONE), []
    greeter(FakeIntake(), connections, waits).greet(ME, "c")
    assert len(connections.frames) == 1
    assert len(waits) == 2


def test_a_connection_that_never_opens_is_given_up() -> None:
    connections = FakeConnections(*[Posted.GONE] * 100)
    intake = FakeIntake()
    greeter(intake, connections).greet(ME, "c")
    assert connections.frames == []
    assert intake.state == "done"


def test_an_agent_that_cannot_be_talked_to_is_said_and_the_connection_closed() -> None:
    connections = FakeConnections()
    refusal = Conflict("It sleeps.", code="agent_inactive")
    greeter(FakeIntake(refusal=refusal), connections).greet(ME, "c")
    (frame,) = connections.frames
    assert (frame["type"], frame["code"], frame["error"]) == ("error", "agent_inactive", "It sleeps.")
    assert connections.closed == ["c"]


def test_who_wants_to_speak_greets_where_nobody_has() -> None:
    intake, connections = FakeIntake(), FakeConnections()
    greeter(intake, connections).ensure(ME, "c")
    assert [frame["type"] for frame in connections.frames] == ["agent_loaded"]


def test_who_wants_to_speak_waits_for_a_greeting_that_is_under_way() -> None:
    intake, connections = FakeIntake("claimed"), FakeConnections()
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            intake.state = "done"

    greeter(intake, connections, sleep=sleep).ensure(ME, "c")
    assert len(looks) == 3
    assert connections.frames == []


def test_a_greeting_whose_greeter_died_is_taken_over() -> None:
    connections = FakeConnections()
    greeter(FakeIntake("claimed"), connections).ensure(ME, "c")
    assert [frame["type"] for frame in connections.frames] == ["agent_loaded"]


def test_nothing_is_to_be_done_where_all_is_done() -> None:
    for state in ("done", None):
        connections = FakeConnections()
        greeter(FakeIntake(state), connections).ensure(ME, "c")
        assert connections.frames == []
