"""Both clients against the real stack: connections that are cut, servers that restart, tickets, queues, cancel."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.client.proxy import proxied
from tests.client.talkers import Refusal, Talker, talking
from tests.integration.rest import AGENTS, Rest

pytestmark = pytest.mark.usefixtures("compiled")
LANGUAGES = pytest.mark.parametrize("language", ["python", "typescript"])
QUICK = {"backoff_base": 50}
SECONDS = 100.0
WORDS = " ".join(f"word{n}" for n in range(1, 301))
SLOW = "/slow 10\n/long 300"


@pytest.fixture
def agent(stack: Instance) -> str:
    return str(Rest(stack.url).create()["id"])


@asynccontextmanager
async def client(language: str, url: str, agent: str, **options: Any) -> AsyncIterator[Talker]:
    async with asyncio.timeout(SECONDS), talking(language) as talker:
        await talker.do("open", base_url=url, agent_id=agent, timing=QUICK, **options)
        yield talker


def messages(stack: Instance, conversation: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = Rest(stack.url)("GET", f"/api/v1/conversations/{conversation}/messages").json["items"]
    return items


@LANGUAGES
async def test_a_question_and_its_answer(stack: Instance, agent: str, language: str) -> None:
    script = '/think hm hm\n/say So 😀.\n/tool calculator {"expression": "1+1"}\n/say Two.'
    async with client(language, stack.url, agent) as talker:
        await talker.do("say", name="a", content=script)
        answer = await talker.do("answer", name="a")
        ids = await talker.do("accepted", name="a")
    assert (answer["text"], answer["status"], answer["whole"]) == ("So 😀.Two.", "completed", True)
    assert [block[0] for block in answer["blocks"]] == ["thinking", "text", "tool", "text"]
    assert answer["blocks"][2][4:7] == ["done", {"expression": "1+1"}, {"result": "2", "exact": True}]
    stored = messages(stack, ids["conversation_id"])[0]
    assert (stored["content"], stored["usage"]) == (answer["text"], answer["usage"])


@LANGUAGES
async def test_a_connection_that_is_cut_again_and_again(stack: Instance, agent: str, language: str) -> None:
    async with proxied(stack.url) as proxy, client(language, proxy.url, agent) as talker:
        await talker.do("say", name="a", content=SLOW)
        length = 50
        for _ in range(3):
            length = len((await talker.do("grown", name="a", length=length))["text"]) + 1
            proxy.cut()
        answer = await talker.do("answer", name="a")
        states = await talker.do("states")
    assert (answer["text"], answer["status"]) == (WORDS, "completed")
    assert "waiting" in states


@LANGUAGES
async def test_an_answer_of_any_size_through_a_cut(stack: Instance, agent: str, language: str) -> None:
    async with proxied(stack.url) as proxy, client(language, proxy.url, agent) as talker:
        await talker.do("say", name="a", content="/long 12000\n/slow 1\n/long 400")
        await talker.do("grown", name="a", length=20_000)
        proxy.cut()
        answer = await talker.do("answer", name="a")
        ids = await talker.do("accepted", name="a")
    assert (answer["status"], answer["whole"]) == ("completed", True)
    assert answer["text"] == messages(stack, ids["conversation_id"])[0]["content"]
    assert len(answer["text"]) > 100_000


@LANGUAGES
async def test_a_message_written_while_the_server_is_away(stack: Instance, agent: str, language: str) -> None:
    async with proxied(stack.url) as proxy:
        proxy.shut = True
        async with client(language, proxy.url, agent) as talker:
            await talker.do("say", name="a", content="/say one")
            await talker.do("say", name="b", content="/say two", after="a")
            await talker.do("reached", state="waiting")
            proxy.shut = False
            assert (await talker.do("answer", name="a"))["text"] == "one"
            assert (await talker.do("answer", name="b"))["text"] == "two"


@LANGUAGES
async def test_a_connection_that_is_dead_without_saying_so(stack: Instance, agent: str, language: str) -> None:
    async with proxied(stack.url) as proxy, asyncio.timeout(SECONDS), talking(language) as talker:
        timing = {**QUICK, "ping_every": 300, "pong_within": 500, "silence_first": 400, "silence_again": 400}
        await talker.do("open", base_url=proxy.url, agent_id=agent, timing=timing)
        await talker.do("say", name="a", content=SLOW)
        await talker.do("grown", name="a", length=50)
        proxy.deaf = True
        await talker.do("reached", state="waiting")
        proxy.deaf = False
        assert (await talker.do("answer", name="a"))["text"] == WORDS


@LANGUAGES
async def test_three_messages_at_once(stack: Instance, agent: str, language: str) -> None:
    async with client(language, stack.url, agent) as talker:
        await talker.do("say", name="a", content="/slow 20\n/say one one one one")
        await talker.do("say", name="b", content="/say two", after="a")
        await talker.do("say", name="c", content="/say three", after="a")
        answers = [await talker.do("answer", name=name) for name in "abc"]
        shown = await talker.do("transcript", name="a")
        ids = await talker.do("accepted", name="c")
    assert [answer["text"] for answer in answers] == ["one one one one", "two", "three"]
    assert [entry["role"] for entry in shown] == ["user", "assistant"] * 3
    assert [entry["text"] for entry in shown[1::2]] == ["one one one one", "two", "three"]
    stored = [item["content"] for item in reversed(messages(stack, ids["conversation_id"]))]
    assert stored == [entry.get("content", entry.get("text")) for entry in shown]


@LANGUAGES
@pytest.mark.parametrize("rest", [True, False], ids=["with REST", "without REST"])
@pytest.mark.parametrize("ended", [2, 3])
async def test_answers_that_end_while_the_connection_is_lost(
    stack: Instance, agent: str, language: str, ended: int, *, rest: bool
) -> None:
    """The server shows the last one only; whoever asks is told of the others too."""
    scripts = {"a": "/slow 10\n/long 30", "b": "/say two", "c": "/slow 10\n/long 30\n/say three"}
    async with proxied(stack.url) as proxy, client(language, proxy.url, agent, rest=rest) as talker:
        for name, script in scripts.items():
            await talker.do("say", name=name, content=script, **({} if name == "a" else {"after": "a"}))
        ids = [await talker.do("accepted", name=name) for name in scripts]
        proxy.shut = True
        proxy.cut()
        await wait_for_answers(stack, ids[0]["conversation_id"], ended)
        proxy.shut = False
        answers = [await talker.do("answer", name=name) for name in scripts]
    stored = {item["run_id"]: item["content"] for item in answers_of(stack, ids[0]["conversation_id"])}
    assert [answer["run_id"] for answer in answers] == [one["run_id"] for one in ids]
    assert [answer["status"] for answer in answers] == ["completed"] * 3
    assert [answer["text"] for answer in answers] == [stored[one["run_id"]] for one in ids]
    assert [answer["whole"] for answer in answers] == [True] * 3


def answers_of(stack: Instance, conversation: str) -> list[dict[str, Any]]:
    found = (item for item in messages(stack, conversation) if item["role"] == "assistant")
    return [item for item in found if item["status"] in ("completed", "failed", "cancelled")]


async def wait_for_answers(stack: Instance, conversation: str, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        for _ in itertools.count():
            if len(await asyncio.to_thread(answers_of, stack, conversation)) >= count:
                return
            await asyncio.sleep(0.1)


@LANGUAGES
async def test_two_clients_see_the_same(stack: Instance, agent: str, language: str) -> None:
    async with (
        proxied(stack.url) as proxy,
        client(language, stack.url, agent) as one,
        client(language, proxy.url, agent) as other,
    ):
        await one.do("say", name="a", content=SLOW)
        conversation = (await one.do("accepted", name="a"))["conversation_id"]
        await one.do("grown", name="a", length=50)
        await other.do("watch", name="w", conversation=conversation)
        await one.do("grown", name="a", length=400)
        proxy.cut()
        answer = await one.do("answer", name="a")
        seen = await other.do("seen", name="w")
    assert answer["text"] == WORDS
    assert [entry["role"] for entry in seen] == ["user", "assistant"]
    assert seen[0]["content"] == SLOW
    assert seen[1] == answer


@LANGUAGES
async def test_cancel_ends_what_runs_and_what_waits(stack: Instance, agent: str, language: str) -> None:
    async with proxied(stack.url) as proxy, client(language, proxy.url, agent) as talker:
        await talker.do("say", name="a", content="/slow 30\n/long 3000")
        await talker.do("say", name="b", content="/say two", after="a")
        await talker.do("accepted", name="b")
        await talker.do("grown", name="a", length=20)
        proxy.cut()
        await talker.do("cancel", name="a")
        first, second = [await talker.do("answer", name=name) for name in "ab"]
        stored = messages(stack, (await talker.do("accepted", name="a"))["conversation_id"])
    assert (first["status"], second["status"]) == ("cancelled", "cancelled")
    assert (
        next(item for item in stored if item["run_id"] == first["run_id"] and item["role"] == "assistant")["content"]
        == (first["text"])
    )


@LANGUAGES
async def test_a_budget_that_is_used_up(stack: Instance, agent: str, language: str) -> None:
    rest = Rest(stack.url)
    assert rest("PUT", f"{AGENTS}/{agent}/budget", {"agent_day": {"tokens": 0}}).status == 200
    async with client(language, stack.url, agent) as talker:
        await talker.do("say", name="a", content="/say something")
        answer = await talker.do("answer", name="a")
        ids = await talker.do("accepted", name="a")
        await talker.do("watch", name="later", conversation=ids["conversation_id"])
        (_, seen) = await talker.do("seen", name="later")
    assert (answer["status"], answer["text"], answer["error"]) == ("failed", "", "budget_exceeded")
    assert (seen["status"], seen["error"]) == ("failed", "budget_exceeded")
    assert messages(stack, ids["conversation_id"])[0]["error"]["code"] == "budget_exceeded"


@LANGUAGES
async def test_an_agent_that_is_not_there(stack: Instance, language: str) -> None:
    async with client(language, stack.url, "agt_01M82K8EMXT7G14V9AF00XZ8T2") as talker:
        await talker.do("say", name="a", content="Hello?")
        with pytest.raises(Refusal, match=r"^agent_not_found$"):
            await talker.do("accepted", name="a")
        assert (await talker.do("states"))[-1] == "refused"


@LANGUAGES
async def test_a_conversation_that_is_deleted_meanwhile(stack: Instance, agent: str, language: str) -> None:
    async with client(language, stack.url, agent) as talker:
        await talker.do("say", name="a", content="/slow 30\n/long 3000")
        conversation = (await talker.do("accepted", name="a"))["conversation_id"]
        await talker.do("grown", name="a", length=20)
        assert Rest(stack.url)("DELETE", f"/api/v1/conversations/{conversation}").status == 204
        answer = await talker.do("answer", name="a")
        assert (answer["status"], answer["error"]) == ("failed", "conversation_deleted")
        await talker.do("say", name="b", content="Anybody?", after="a")
        with pytest.raises(Refusal, match=r"^conversation_not_found$"):
            await talker.do("accepted", name="b")


@pytest.mark.timeout(150)
async def test_a_server_that_restarts_in_the_middle_of_an_answer() -> None:
    with running_stack() as stack:
        agent = str(Rest(stack.url).create()["id"])
        async with (
            proxied(stack.url) as proxy,
            client("python", proxy.url, agent) as one,
            client("typescript", proxy.url, agent) as other,
        ):
            for talker in (one, other):
                await talker.do("say", name="a", content=SLOW)
                await talker.do("grown", name="a", length=50)
            await asyncio.to_thread(stack.restart)
            proxy.target = stack.url
            for talker in (one, other):
                answer = await talker.do("answer", name="a")
                assert (answer["text"], answer["status"]) == (WORDS, "completed")
                await talker.do("say", name="b", content="/say again", after="a")
                assert (await talker.do("answer", name="b"))["text"] == "again"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Instance]:
    with running_stack(auth=True, env={"ALLOWED_ORIGINS": ""}) as instance:
        yield instance


def owned_agent(guarded: Instance, token: str) -> str:
    body = {"name": "Guide", "model_config": {"provider": "scripted", "model": "script"}}
    answer = Rest(guarded.url)("POST", AGENTS, body, headers={"Authorization": f"Bearer {token}"})
    return str(answer.json["id"])


@LANGUAGES
async def test_a_new_ticket_for_each_connection(guarded: Instance, language: str) -> None:
    token = guarded.token("ada", tenant="acme", role="owner")
    agent = owned_agent(guarded, token)
    async with proxied(guarded.url) as proxy, client(language, proxy.url, agent, token=token) as talker:
        await talker.do("say", name="a", content=SLOW)
        await talker.do("grown", name="a", length=50)
        proxy.cut()
        assert (await talker.do("answer", name="a"))["text"] == WORDS
        assert (await talker.do("states")).count("open") == 2


@LANGUAGES
async def test_who_has_no_right_is_told_so(guarded: Instance, language: str) -> None:
    agent = owned_agent(guarded, guarded.token("ada", tenant="acme", role="owner"))
    viewer = guarded.token("grace", tenant="acme", role="viewer")
    for token, code in ((viewer, "forbidden"), ("nobody", "forbidden")):
        async with client(language, guarded.url, agent, token=token) as talker:
            await talker.do("say", name="a", content="Hello?")
            with pytest.raises(Refusal, match=code):
                await talker.do("accepted", name="a")


async def test_without_a_ticket_the_handshake_is_refused_for_good(guarded: Instance) -> None:
    """Only Python's client is told the status of a handshake; a browser's tries on."""
    async with client("python", guarded.url, "agt_1") as talker:
        await talker.do("say", name="a", content="Hello?")
        with pytest.raises(Refusal, match=r"^(unauthenticated|forbidden)$"):
            await talker.do("accepted", name="a")
