"""The TypeScript client: it compiles without Node's types, its own tests pass, and it sees what the Python one sees."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.client.typescript import BUILT, CLIENT, node
from tests.client.view import Step, advance, outlook
from tests.client.world import any_frames, cuts_and_resumes, several_runs
from web.client.python.transcript import Transcript

SCENARIOS = 150


@pytest.mark.usefixtures("built")
def test_it_compiles_for_browsers() -> None:
    assert (CLIENT / "dist" / "index.d.ts").exists()


def test_it_has_no_dependencies() -> None:
    package = json.loads((CLIENT / "package.json").read_text("utf-8"))
    assert "dependencies" not in package
    assert package["private"] is True


@pytest.mark.usefixtures("compiled")
def test_its_own_tests_pass() -> None:
    tests = sorted(str(path) for path in (BUILT / "tests").glob("*.test.js"))
    told = node("--test", "--test-reporter=tap", *tests)
    summary = dict(line[2:].rsplit(" ", 1) for line in told.splitlines() if line.startswith(("# pass", "# fail")))
    assert int(summary["pass"]) >= 120
    assert int(summary["fail"]) == 0


@pytest.mark.usefixtures("compiled")
def test_both_languages_see_the_same() -> None:
    """After each step of stories that no vector tells."""
    stories = [story for seed in range(SCENARIOS) for story in _stories(seed)]
    lines = "".join(f"{json.dumps(story)}\n" for story in stories)
    told = node(str(BUILT / "tests" / "views.js"), stdin=lines).splitlines()
    assert len(told) == len(stories)
    for number, (story, line) in enumerate(zip(stories, told, strict=True)):
        for position, (mine, theirs) in enumerate(zip(_views(story), json.loads(line), strict=True)):
            assert mine == theirs, f"seed {number // 3}, step {position}: {story[position]}"


def _stories(seed: int) -> list[list[Step]]:
    chance = Random(seed)
    alone = [cuts_and_resumes(chance, 30)[0], any_frames(chance, 30)]
    return [*([{"frame": frame} for frame in story] for story in alone), several_runs(chance, 12)]


def _views(story: list[Step]) -> list[Step]:
    transcript = Transcript()
    views = []
    for step in story:
        transcript = advance(transcript, step)
        views.append(outlook(transcript))
    return views
