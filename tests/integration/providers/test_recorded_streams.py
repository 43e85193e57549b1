"""Streams as vendors sent them, cut at random places: text, calls, stop reason and usage must be those recorded.

With RECORDED_STREAMS=/a/folder that holds a `manifest.json` they come from there, else from `tests/golden`.
"""

from __future__ import annotations

import pytest

from tests.integration.providers.recorded import Case, came, cases, differences
from tests.integration.providers.vendors import all_events, asking, provider
from tests.integration.providers.wire import Reply, WireServer, cut

pytestmark = pytest.mark.filterwarnings("ignore:.* is not a valid .*:UserWarning")


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
async def test_stream(case: Case, wire: WireServer) -> None:
    for seed in ("one", "two"):
        wire.reply(Reply(cut(case.data, case.name + seed)))
        found = came(await all_events(provider(case.provider, wire.url), asking(case.provider, "Hello")))
        assert not differences(case.expected, found)
