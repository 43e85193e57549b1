"""The playground against the running stack, with a model that does as it is told."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agent_builder.ids import is_id
from local.testing import Instance, running_stack
from tests.integration.chat import Chat, chatting, is_terminal
from tests.integration.rest import AGENTS, Rest

USAGE = {"input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"}


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


@pytest.fixture
def agent(rest: Rest) -> str:
    return str(rest.create()["id"])


def test_a_first_message(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        assert chat.next() == {"type": "agent_loaded", "agent_id": agent}
        chat.say("/say Hello 😀 and\u2028all", client_message_id="m-1")
        started, accepted = chat.next(), chat.next()
        assert set(started) == {"type", "conversation_id"}
        assert started["type"] == "conversation_started"
        assert is_id("cnv", started["conversation_id"])
        assert accepted["type"] == "message_accepted"
        assert accepted["conversation_id"] == started["conversation_id"]
        assert (accepted["client_message_id"], accepted["queued"]) == ("m-1", False)
        end = chat.end()
    assert end["type"] == "message_complete"
    assert end["content"] == chat.text(end["run_id"]) == "Hello 😀 and\u2028all"
    assert end["stop_reason"] == "end_turn"
    assert set(end["usage"]) == USAGE
    assert set(end["cost"]) == {"amount_nanousd", "unpriced_steps"}
    assert end["run_id"] == accepted["run_id"]
    for delta in chat.of("content_delta"):
        assert (delta["run_id"], delta["message_id"]) == (end["run_id"], end["message_id"])
    seqs = [frame["seq"] for frame in chat.frames if "seq" in frame]
    assert seqs == sorted(set(seqs))
    messages = rest("GET", f"/api/v1/conversations/{started['conversation_id']}/messages").json["items"]
    assert [(m["role"], m["content"]) for m in messages] == [
        ("assistant", end["content"]),
        ("user", "/say Hello 😀 and\u2028all"),
    ]
    assert messages[0]["id"] == end["message_id"]
    assert messages[0]["usage"] == end["usage"]
    assert messages[1]["id"] == accepted["message_id"]


def test_who_sends_at_once_is_greeted_first_and_once(stack: Instance, agent: str) -> None:
    for _ in range(5):
        with chatting(stack, agent) as chat:
            chat.send(type="ping")
            chat.say("/say one")
            chat.send(type="nonsense")
            chat.end()
            assert chat.quiet() or chat.of("error")
            assert chat.frames[0] == {"type": "agent_loaded", "agent_id": agent}
            assert len(chat.of("agent_loaded")) == 1


@pytest.mark.parametrize("status", ["draft", "active"])
def test_drafts_and_active_agents_answer(stack: Instance, rest: Rest, status: str) -> None:
    with chatting(stack, str(rest.create(status=status)["id"])) as chat:
        assert chat.ask("/say yes")["content"] == "yes"


@pytest.mark.parametrize("case", ["unknown", "malformed", "inactive", "deleted"])
def test_an_agent_that_cannot_be_talked_to(stack: Instance, rest: Rest, case: str) -> None:
    agent_id = str(rest.create(status="inactive" if case == "inactive" else "draft")["id"])
    if case == "deleted":
        rest("DELETE", f"{AGENTS}/{agent_id}")
    asked = {"unknown": "agt_01M82K8EMXT7G14V9AF00XZ8T2", "malformed": "nobody"}.get(case, agent_id)
    for early in (False, True):
        with chatting(stack, asked) as chat:
            if early:
                with suppress(ConnectionClosed):  # the refusal may be quicker still
                    chat.say("Hello?")
            frame = chat.next()
            assert (frame["type"], frame["retryable"]) == ("error", False)
            assert frame["code"] == ("agent_inactive" if case == "inactive" else "agent_not_found")
            assert "run_id" not in frame
            with pytest.raises(ConnectionClosed):
                while True:
                    chat.next()
            assert not chat.of("agent_loaded")
            assert not chat.of("message_accepted")


def test_the_subprotocol_is_chosen(stack: Instance, agent: str) -> None:
    with connect(stack.ws_url(agent), subprotocols=["aab.v1", "ticket.x"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "aab.v1"
    with connect(stack.ws_url(agent)) as socket:
        assert socket.subprotocol is None


def test_both_tools_are_called_and_shown(stack: Instance, agent: str) -> None:
    script = """/say Let me see.
/tool calculator {"expression": "(0.1 + 0.2) * 10"}
/tool current_time {"time_zone": "Europe/Vienna"}
/tool calculator {"expression": "1 / 0"}
/tool nothing {}
/tool calculator {broken
/say Done."""
    with chatting(stack, agent) as chat:
        end = chat.ask(script)
    starts = {frame["tool_use_id"]: frame for frame in chat.of("tool_use_start")}
    ends = {frame["tool_use_id"]: frame for frame in chat.of("tool_use_complete")}
    assert starts.keys() == ends.keys()
    calculator, time, division, nothing, broken = ends.values()
    order = [*starts]
    calculator, time, division, nothing, broken = (ends[name] for name in order)
    assert calculator["tool_name"] == "calculator"
    assert calculator["result"] == {"result": "3", "exact": True}
    assert "error" not in calculator
    assert time["result"]["time_zone"] == "Europe/Vienna"
    assert (division["result"], "zero" in division["error"]) == ({}, True)
    assert "no tool named" in nothing["error"]
    assert "JSON object" in broken["error"]
    assert [frame["outcome"] for frame in (division, nothing, broken)] == [
        "failed",
        "unknown_tool",
        "invalid_arguments",
    ]
    assert all(isinstance(frame["duration_ms"], int) for frame in ends.values())
    assert starts[order[0]]["input"] == {"expression": "(0.1 + 0.2) * 10"}
    assert end["content"] == chat.text(end["run_id"]) == "Let me see.Done."
    kinds = [frame["type"] for frame in chat.frames]
    assert kinds.index("tool_use_start") < kinds.index("tool_use_complete") < kinds.index("message_complete")


def test_thinking_is_shown_apart_from_the_answer(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/think hm hm\n/say yes")
    assert "".join(frame["delta"] for frame in chat.of("thinking_delta")) == "hm hm"
    assert end["content"] == chat.text(end["run_id"]) == "yes"


def test_the_limit_of_steps_is_told(stack: Instance, agent: str) -> None:
    script = "\n".join(f'/tool calculator {{"expression": "{n}"}}\n/say {n}' for n in range(30))
    with chatting(stack, agent) as chat:
        end = chat.ask(script)
    assert (end["type"], end["stop_reason"]) == ("message_complete", "step_limit")
    assert "limit" in end["content"]


@pytest.mark.parametrize("kind", ["auth", "content_filter", "invalid_request", "context_too_long"])
def test_a_failure_of_the_model_ends_the_run_with_an_error(stack: Instance, agent: str, kind: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask(f"/error {kind}")
        assert (end["type"], end["code"]) == ("error", f"provider_{kind}")
        assert end["error"]
        assert chat.ask("/say still here", conversation_id=end["conversation_id"])["content"] == "still here"


def test_a_passing_failure_is_tried_again_unseen(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        assert chat.ask("/error overloaded 1\n/say after all")["content"] == "after all"
        assert not chat.of("error")


def test_a_stream_that_breaks_keeps_what_there_was(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/say Half of\n/break")
        assert (end["code"], end["retryable"]) == ("provider_broken_stream", True)
        stored = rest("GET", f"/api/v1/conversations/{end['conversation_id']}/messages").json["items"][0]
        assert (stored["status"], stored["content"]) == ("failed", "Half of")


def test_a_long_answer_is_left_out_of_the_last_frame_but_not_of_the_deltas(
    stack: Instance, rest: Rest, agent: str
) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/long 20000")
    whole = " ".join(f"word{n}" for n in range(1, 20_001))
    assert end["truncated"] is True
    assert "content" not in end
    assert chat.text(end["run_id"]) == whole
    stored = rest("GET", f"/api/v1/conversations/{end['conversation_id']}/messages?limit=1").json["items"][0]
    assert stored["content"] == whole


def test_a_very_long_answer_is_stored_whole(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/long 70000")
        assert end["type"] == "message_complete"
        again = chat.ask("/say next", conversation_id=end["conversation_id"])
        assert again["content"] == "next"
    stored = rest("GET", f"/api/v1/conversations/{end['conversation_id']}/messages").json["items"]
    assert len(stored[2]["content"]) > 600_000


def test_history_is_known_to_the_next_message(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        first = chat.ask("My name is Ann.")
        assert first["content"] == "You said: My name is Ann."
        second = chat.ask("/recall", conversation_id=first["conversation_id"])
    assert second["content"] == "Your first message was: My name is Ann."
    assert len(chat.of("conversation_started")) == 1
    with chatting(stack, agent) as chat:
        third = chat.ask("/recall", conversation_id=first["conversation_id"])
        assert third["content"] == "Your first message was: My name is Ann."
        assert chat.ask("/recall")["content"] == "Your first message was: /recall"


def test_a_resend_gets_the_same_ids_and_the_answer_again(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/say once", client_message_id="m-9")
        accepted = chat.of("message_accepted")[0]
    with chatting(stack, agent) as chat:
        chat.say("/say once", client_message_id="m-9")
        again = chat.until("message_accepted")
        assert {**again, "queued": False} == accepted
        assert chat.until("content_snapshot")["content"] == "once"
        assert chat.end() == end
        chat.say("/say other", client_message_id="m-9")
        error = chat.next()
        assert (error["code"], error["client_message_id"]) == ("idempotency_mismatch", "m-9")
        assert "run_id" not in error


def test_two_messages_at_once_are_answered_in_order(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        conversation = chat.ask("/say zero")["conversation_id"]
        chat.say("/slow 20\n/say one one one one", conversation_id=conversation)
        first = chat.until("message_accepted")
        chat.say("/say two", conversation_id=conversation)
        second = chat.until("message_accepted")
        ends = [chat.end(), chat.end()]
    assert (first["queued"], second["queued"]) == (False, True)
    assert [end["run_id"] for end in ends] == [first["run_id"], second["run_id"]]
    assert [end["content"] for end in ends] == ["one one one one", "two"]
    stored = rest("GET", f"/api/v1/conversations/{conversation}/messages").json["items"]
    assert [m["content"] for m in stored[::2]] == ["two", "one one one one", "zero"]


def test_a_run_is_cancelled_and_keeps_what_there_was(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        chat.say("/slow 50\n/long 2000")
        accepted = chat.until("message_accepted")
        chat.until("content_delta")
        conversation = accepted["conversation_id"]
        chat.send(type="cancel", conversation_id=conversation, run_id=accepted["run_id"])
        end = chat.until("run_cancelled", "message_complete", seconds=10)
        assert end["type"] == "run_cancelled"
        assert end["run_id"] == accepted["run_id"]
        assert end["content"] == chat.text(end["run_id"])
        assert end["content"].startswith("word1 word2")
        stored = rest("GET", f"/api/v1/conversations/{conversation}/messages?limit=1").json["items"][0]
        assert (stored["status"], stored["content"]) == ("cancelled", end["content"])
        chat.send(type="cancel", conversation_id=conversation)
        assert chat.next()["code"] == "nothing_to_cancel"
        assert chat.ask("/recall", conversation_id=conversation)["type"] == "message_complete"


def test_cancel_without_a_run_ends_all_that_waits(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        chat.say("/slow 50\n/long 2000")
        conversation = chat.until("message_accepted")["conversation_id"]
        for _ in range(2):
            chat.say("/say never", conversation_id=conversation)
            chat.until("message_accepted")
        chat.send(type="cancel", conversation_id=conversation)
        ends = [chat.end() for _ in range(3)]
    assert [end["type"] for end in ends] == ["run_cancelled"] * 3
    assert {end["run_id"] for end in ends} == {frame["run_id"] for frame in chat.of("message_accepted")}


def test_what_waits_is_cancelled_at_once_while_the_first_goes_on(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        chat.say("/slow 50\n/long 400")
        first = chat.until("message_accepted")
        conversation = first["conversation_id"]
        chat.say("/say never", conversation_id=conversation)
        waiting = chat.until("message_accepted")
        chat.say("/say third", conversation_id=conversation)
        third = chat.until("message_accepted")
        chat.send(type="cancel", conversation_id=conversation, run_id=waiting["run_id"])
        ends = [chat.end() for _ in range(3)]
    assert [(end["type"], end["run_id"]) for end in ends] == [
        ("run_cancelled", waiting["run_id"]),
        ("message_complete", first["run_id"]),
        ("message_complete", third["run_id"]),
    ]
    stored = rest("GET", f"/api/v1/conversations/{conversation}/messages").json["items"]
    assert [message["content"] for message in stored[::2][:2]] == ["third", ""]
    assert stored[2]["status"] == "cancelled"


def test_a_second_tab_gets_a_snapshot_and_then_everything(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat, chatting(stack, agent) as tab:
        chat.say("/slow 20\n/long 200")
        accepted = chat.until("message_accepted")
        chat.until("content_delta")
        tab.send(type="resume", conversation_id=accepted["conversation_id"])
        snapshot = tab.until("content_snapshot")
        assert tab.frames[0]["type"] == "agent_loaded"
        assert snapshot["status"] == "running"
        ends = [tab.end(), chat.end()]
    assert ends[0] == ends[1]
    assert tab.text(accepted["run_id"]) == chat.text(accepted["run_id"]) == ends[0]["content"]
    seqs = [frame["seq"] for frame in tab.frames if "seq" in frame]
    assert seqs == sorted(seqs)


def test_resume_of_a_finished_conversation_shows_its_end_again(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask('/say a\n/tool calculator {"expression": "1"}\n/say b')
    with chatting(stack, agent) as chat:
        chat.send(type="resume", conversation_id=end["conversation_id"])
        snapshot = chat.until("content_snapshot")
        assert (snapshot["content"], snapshot["status"], snapshot["offset"]) == ("ab", "completed", 0)
        assert [part["type"] for part in snapshot["parts"]] == ["text", "tool_call", "tool_result", "text"]
        assert chat.end() == end
        assert chat.quiet()


def test_resume_of_a_failed_conversation_shows_its_error_again(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/say Half\n/error auth")
        chat.send(type="resume", conversation_id=end["conversation_id"])
        assert chat.until("content_snapshot")["status"] == "failed"
        assert chat.end() == end


def test_resume_of_a_long_answer_comes_in_pieces(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/long 20000")
        whole = chat.text(end["run_id"])
    with chatting(stack, agent) as chat:
        chat.send(type="resume", conversation_id=end["conversation_id"])
        assert chat.end() == end
        assert chat.text(end["run_id"]) == whole


def test_a_run_goes_on_without_its_connection(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        chat.say("/slow 20\n/long 60")
        accepted = chat.until("message_accepted")
        chat.until("content_delta")
    with chatting(stack, agent) as chat:
        chat.send(type="resume", conversation_id=accepted["conversation_id"])
        end = chat.end()
        assert end["run_id"] == accepted["run_id"]
        assert end["content"] == chat.text(end["run_id"]) == " ".join(f"word{n}" for n in range(1, 61))


def test_twenty_conversations_at_once(stack: Instance, agent: str) -> None:
    def one(number: int) -> tuple[str, str, list[str]]:
        with chatting(stack, agent) as chat:
            end = chat.ask(f"/slow 5\n/say {number} {'x ' * 20}")
            return str(end["content"]), chat.text(end["run_id"]), [frame["type"] for frame in chat.frames]

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(one, range(20)))
    for number, (content, text, kinds) in enumerate(results):
        assert content == text
        assert content.startswith(f"{number} x")
        assert kinds[0] == "agent_loaded"
        # The runner works beside the function that accepts, so on a busy machine its first delta may come earlier.
        assert [kinds.count(kind) for kind in ("conversation_started", "message_accepted")] == [1, 1]


def test_twenty_messages_at_once_in_one_conversation(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        conversation = chat.ask("/say 0")["conversation_id"]
        for n in range(19):
            chat.say(f"/say {n}", conversation_id=conversation)
        ends = [chat.end() for _ in range(19)]
        accepted = chat.of("message_accepted")[1:]
    assert [end["run_id"] for end in ends] == sorted(frame["run_id"] for frame in accepted)
    assert sorted(int(end["content"]) for end in ends) == list(range(19))
    assert not chat.of("error")


def test_conversations_of_others_are_not_there(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        conversation = chat.ask("/say mine")["conversation_id"]
    other = str(rest.create()["id"])
    with chatting(stack, other) as chat:
        chat.until("agent_loaded")
        for frame in (
            {"type": "user_message", "content": "x", "conversation_id": conversation},
            {"type": "resume", "conversation_id": conversation},
            {"type": "cancel", "conversation_id": conversation},
        ):
            chat.send(**frame)
            error = chat.next()
            assert (error["type"], error["code"]) == ("error", "conversation_not_found")
        assert chat.quiet()


def test_conversations_by_rest(stack: Instance, rest: Rest, agent: str) -> None:
    with chatting(stack, agent) as chat:
        ids = [chat.ask(f"Talk number {n}")["conversation_id"] for n in range(5)]
    path = f"{AGENTS}/{agent}/conversations"
    listed = rest.all(path, 2)
    assert [item["id"] for item in listed] == ids[::-1]
    assert listed[0]["title"] == "Talk number 4"
    shown = {"id", "agent_id", "title", "created_by", "created_at", "updated_at", "runs", "usage", "cost"}
    assert set(listed[0]) == shown
    assert listed[0]["runs"] == 1
    one = f"/api/v1/conversations/{ids[0]}"
    renamed = rest("PATCH", one, {"title": " New "}, headers={"If-Match": rest("GET", one).etag})
    assert (renamed.status, renamed.json["title"]) == (200, "New")
    assert rest("PATCH", one, {"title": "X"}, headers={"If-Match": '"1"'}).status == 412
    assert rest("PATCH", one, {"title": None}).status == 422
    assert rest("PATCH", one, {"nothing": 1}).status == 422
    assert len(rest.all(f"{one}/messages", 1)) == 2
    assert rest("DELETE", one).status == 204
    for method, where in (("GET", one), ("GET", f"{one}/messages"), ("DELETE", one)):
        assert rest(method, where).status == 404
    assert [item["id"] for item in rest.all(path)] == ids[:0:-1]
    with chatting(stack, agent) as chat:
        chat.send(type="resume", conversation_id=ids[0])
        assert chat.until("error")["code"] == "conversation_not_found"


def test_every_run_has_one_terminal_frame_whatever_it_does(stack: Instance, agent: str) -> None:
    scripts = [
        "/say a",
        "/error auth",
        "/break",
        "/stop max_tokens",
        '/tool calculator {"expression": "2"}',
        "/wait 50",
    ]
    with chatting(stack, agent) as chat:
        for script in scripts:
            chat.ask(script)
        assert chat.quiet()
    ended = [frame["run_id"] for frame in chat.frames if is_terminal(frame)]
    assert ended == [frame["run_id"] for frame in chat.of("message_accepted")]


def test_a_conversation_goes_on_after_a_restart() -> None:
    with running_stack() as own:
        agent = str(Rest(own.url).create()["id"])
        with chatting(own, agent) as chat:
            first = chat.ask("Remember the number 7.")
        own.restart()
        with chatting(own, agent) as chat:
            second = chat.ask("/recall", conversation_id=first["conversation_id"])
            assert second["content"] == "Your first message was: Remember the number 7."


def test_deltas_name_their_place_without_holes(stack: Instance, agent: str) -> None:
    with chatting(stack, agent) as chat:
        end = chat.ask("/slow 3\n/say " + "😀 ä ".join(map(str, range(100))))
    offset = 0
    for delta in chat.of("content_delta"):
        assert delta["offset"] == offset
        offset += len(delta["delta"].encode("utf-16-le")) // 2
    assert chat.text(end["run_id"]) == end["content"]
    assert len(chat.of("content_delta")) > 1
    assert all(a["seq"] < b["seq"] for a, b in itertools.pairwise(chat.of("content_delta")))


def test_chat_reads_holes(agent: str) -> None:
    with pytest.raises(AssertionError, match="hole"):
        Chat(None, [{"type": "content_delta", "run_id": "r", "delta": "x", "offset": 3}]).text("r")  # type: ignore[arg-type]
