"""The search of the canary test finds what it should."""

from __future__ import annotations

import base64
import json
import zlib
from urllib.parse import quote

import pytest

from tests.integration.canary.needles import needle, occurrences

SECRET = needle("one")


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"a": SECRET}),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").replace("%2B", "%2b"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"ab:{SECRET}:more".encode()).decode(),
        "z:" + base64.b64encode(zlib.compress(SECRET.encode() * 3)).decode(),
        SECRET.encode().hex(),
    ],
)
def test_every_form_is_found(text: str) -> None:
    assert occurrences(f"before {text} after", [SECRET, needle("two")]) == [SECRET]


def test_others_are_not() -> None:
    assert occurrences(f"before {needle('two')} after", [SECRET]) == []
