"""Whatever the road does to the frames: in the end the client shows what the server has stored."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client.view import view
from tests.client.world import IDS, Frame, Server, any_frames, cuts_and_resumes
from web.client.python.answer import Answer
from web.client.python.blocks import TextBlock, built
from web.client.python.transcript import Transcript, loaded, reduce
from web.client.python.utf16 import length

# A seed tells a whole story; its length is what a failing example is shortened by.
SEED = st.integers(0, 2**32)
TURNS = st.integers(0, 30)


def play(frames: list[Frame], transcript: Transcript | None = None) -> Transcript:
    transcript = transcript or Transcript()
    for frame in frames:
        transcript = reduce(transcript, frame)
        check_sound(transcript)
    return transcript


def answer_of(transcript: Transcript) -> Answer:
    answer = transcript.answer(IDS["run_id"])
    assert answer is not None
    return answer


def check_sound(transcript: Transcript) -> None:
    """What holds at every moment."""
    answer = transcript.answer(IDS["run_id"])
    if answer is None:
        return
    texts = [block for block in answer.blocks if isinstance(block, TextBlock)]
    assert "".join(block.text for block in texts) == answer.text
    assert [block.start for block in texts] == sorted(block.start for block in texts)
    assert answer.length == length(answer.text)
    assert 0 <= answer.sure <= answer.length
    assert not (answer.over and answer.missing)


def complete(transcript: Transcript, server: Server) -> Transcript:
    """What the client does when an ended answer is not whole: read it by REST."""
    return transcript if answer_of(transcript).whole else loaded(transcript, server.stored())


@settings(max_examples=400, deadline=None)
@given(SEED, TURNS)
def test_cuts_and_resumes_end_with_what_is_stored(seed: int, turns: int) -> None:
    chance = Random(seed)
    frames, server = cuts_and_resumes(chance, turns)
    answer = answer_of(complete(play(frames), server))
    blocks, text = built(server.parts)
    assert answer.status == "completed"
    assert answer.text == text == server.text
    shown = view(Transcript((answer,)))[0]["blocks"]
    assert shown == view(Transcript((Answer("run_1", blocks=blocks),)))[0]["blocks"]


@settings(max_examples=300, deadline=None)
@given(SEED, TURNS)
def test_any_loss_is_mended_by_a_resume(seed: int, turns: int) -> None:
    chance = Random(seed)
    frames, server = cuts_and_resumes(chance, turns)
    *before, end = frames
    seen = [frame for frame in before if chance.random() < 0.6]
    answer = answer_of(complete(play([*seen, *server.snapshot(), end]), server))
    assert (answer.text, answer.status) == (server.text, "completed")


@settings(max_examples=300, deadline=None)
@given(SEED, TURNS)
def test_a_hole_is_told(seed: int, turns: int) -> None:
    """Without cuts, what is shown is the truth, or `missing` says that it is not."""
    chance = Random(seed)
    server = Server(chance)
    transcript = Transcript()
    for _ in range(turns):
        for frame in server.act():
            if chance.random() < 0.85 or frame["type"] == "step_reset":
                transcript = reduce(transcript, frame)
        for frame in server.say():
            transcript = reduce(transcript, frame)
        answer = answer_of(transcript)
        assert answer.missing or answer.text == server.text
        if answer.missing and chance.random() < 0.5:
            transcript = play(server.snapshot(), transcript)
            assert answer_of(transcript).text[: len(server.text)] == server.text


@settings(max_examples=300, deadline=None)
@given(SEED, TURNS)
def test_the_end_comes_once(seed: int, turns: int) -> None:
    chance = Random(seed)
    frames, server = cuts_and_resumes(chance, turns)
    ended = complete(play(frames), server)
    assert play(frames, ended) is ended
    other: Frame = {"type": "run_cancelled", **IDS, "content": "", "usage": {}, "cost": None}
    assert reduce(ended, other) is ended


@settings(max_examples=300, deadline=None)
@given(SEED, TURNS)
def test_nothing_that_comes_breaks_it(seed: int, turns: int) -> None:
    play(any_frames(Random(seed), turns))
