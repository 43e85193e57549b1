"""The shared vectors of the transcript, in Python; the TypeScript client's own tests take the same files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.view import advance, matches, vectors, view
from web.client.python.blocks import ToolBlock, finished
from web.client.python.transcript import Transcript

CASES = vectors("transcript")


@pytest.mark.parametrize("vector", CASES, ids=[vector["name"] for vector in CASES])
def test_vector(vector: dict[str, Any]) -> None:
    transcript = Transcript()
    for number, step in enumerate(vector["steps"]):
        if "expect" in step:
            found = view(transcript)
            assert matches(found, step["expect"]), f"step {number}: {found}"
        transcript = advance(transcript, step)


@pytest.mark.parametrize("vector", CASES, ids=[vector["name"] for vector in CASES])
def test_the_same_again_changes_nothing(vector: dict[str, Any]) -> None:
    """Every frame at once again: not even a new object, so that whoever draws it need not look."""
    transcript = Transcript()
    for step in vector["steps"]:
        once = advance(transcript, step)
        assert advance(once, step) is once
        transcript = once


def test_names_are_unique() -> None:
    names = [vector["name"] for vector in CASES]
    assert len(set(names)) == len(names)


def test_a_card_says_which_credential_a_person_must_connect() -> None:
    told = {"error": "Connect it.", "needs_reconnect": "crd_1", "outcome": "failed"}
    card = finished(ToolBlock(0, "t1", "mail"), told)
    assert (card.needs_reconnect, card.outcome) == ("crd_1", "failed")
    again = finished(card, {"result": {}})
    assert (again.needs_reconnect, again.outcome) == (None, None)
