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


@dataclass(frozen=True, slots=True)
class History:
    """Messages, newest first. `fence` is the one under which the older of them were answered here, if they were."""

    fence: int | None
    messages: list[StoredMessage]

    def holds(self, fence: int, run_id: str) -> bool:
        """Whether it is whole for whoever claimed with this fence, and has the run's question.

        A fence that is one above, or the same, says that nobody else has answered in between. Messages never change,
        and a deletion leaps the fence.
        """
        whole = self.fence is None or fence - self.fence in (0, 1)
        return whole and any(message.run_id == run_id for message in self.messages)


@dataclass(slots=True)
class Histories:
    """What a runner knows of conversations that it has just answered, so that only what came after must be read."""

    kept: int = 64
    _known: OrderedDict[tuple[str, str], History] = field(default_factory=OrderedDict)

    def known(self, tenant: str, conversation_id: str) -> History | None:
        """The conversation up to the last answer that was given here."""
        return self._known.get((tenant, conversation_id))

    def keep(self, tenant: str, conversation_id: str, history: History) -> None:
        """Remember a conversation whose newest message is an answer."""
        self.forget(tenant, conversation_id)
        self._known[tenant, conversation_id] = History(history.fence, history.messages[:HISTORY_PAGE])
        if len(self._known) > self.kept:
            self._known.popitem(last=False)

    def forget(self, tenant: str, conversation_id: str) -> None:
        """What is known is not true any more."""
        self._known.pop((tenant, conversation_id), None)
