"""What of a conversation the model gets to see."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent_builder.messages import Message
from agent_builder.models.conversations import StoredMessage

HISTORY_PAGE = 100


def model_history(newest_first: Sequence[StoredMessage], *, leave_out: Collection[str]) -> list[Message]:
    """Oldest first, without runs that still wait, and without answers that said nothing."""
    chosen = [stored.message for stored in newest_first if stored.run_id not in leave_out and stored.message.parts]
    chosen.reverse()
    while chosen and chosen[0].role != "user":  # the page began in the middle of an exchange
        chosen.pop(0)
    return chosen
