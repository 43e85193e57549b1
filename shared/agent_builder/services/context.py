"""What of a conversation the model gets to see."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent_builder.messages import Message
from agent_builder.models.conversations import StoredMessage

HISTORY_PAGE = 100


def model_history(newest_first: Sequence[StoredMessage]) -> list[Message]:
    """Oldest first, without answers that said nothing."""
    chosen = [stored.message for stored in newest_first if stored.message.parts]
    chosen.reverse()
    while chosen and chosen[0].role != "user":  # the page began in the middle of an exchange
        chosen.pop(0)
    return chosen


@dataclass(slots=True)
class HistoryCache:
    """What a runner knows of conversations that it has just answered.

    A fence that is one above the last one held here says that nobody else has answered since, so only what came after
    the last answer has to be read. Messages never change, and a deletion leaps the fence.
    """

    kept: int = 64
    _known: OrderedDict[tuple[str, str], tuple[int, str, list[StoredMessage]]] = field(default_factory=OrderedDict)

    def known(self, tenant: str, conversation_id: str, fence: int) -> tuple[str, list[StoredMessage]] | None:
        """The run that was answered last and the messages up to its answer, newest first."""
        found = self._known.pop((tenant, conversation_id), None)
        return (found[1], found[2]) if found and found[0] + 1 == fence else None

    def keep(self, tenant: str, conversation_id: str, fence: int, newest_first: list[StoredMessage]) -> None:
        """Remember a conversation up to the newest of these, which is an answer."""
        self._known[tenant, conversation_id] = (fence, newest_first[0].run_id, newest_first[:HISTORY_PAGE])
        if len(self._known) > self.kept:
            self._known.popitem(last=False)
