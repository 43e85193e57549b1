"""The short campaign: every kind of fault, every crash point, judged by the checker."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.faults.campaign import Wanted, campaign
from tests.faults.history import History


@pytest.mark.timeout(900)
async def test_every_invariant_holds_under_every_fault(tmp_path: Path) -> None:
    wanted = Wanted(seed=secrets.randbelow(2**31), some=2, rescue_seconds=10.0)
    with History(tmp_path / "history.jsonl") as history:
        verdicts = await campaign(wanted, history)
    assert not verdicts, f"seed {wanted.seed}, history {tmp_path}\n{verdicts}"
