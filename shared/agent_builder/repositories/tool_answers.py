"""Answers of tools that are used again for a while. They are content of their tenant, like messages."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute

from agent_builder.messages import Json
from agent_builder.repositories import keys
from agent_builder.repositories.steps import ITEM_BYTES
from agent_builder.repositories.table import Item, PackedJSON, get_item, retrying


class ToolAnswerItem(Item, discriminator="tool_answer"):
    """One answer. It goes with its agent, and by itself some time after `good_until` (milliseconds)."""

    result = PackedJSON()
    good_until = NumberAttribute()


class ToolAnswerRepository:
    """They stand in their agent's partition, so that they are purged with it."""

    def get(self, tenant: str, agent_id: str, digest: str, *, now: int) -> Json | None:
        """An answer that is still good; times in milliseconds."""
        item = get_item(ToolAnswerItem, keys.agent(tenant, agent_id), keys.tool_answer(digest))
        if item is None or item.good_until <= now:
            return None
        result: Json = item.result
        return result

    def put(self, tenant: str, agent_id: str, digest: str, result: Json, *, good_until: int) -> bool:
        """Keep an answer; False for one that is too large to be kept."""
        if len(PackedJSON().serialize(result).encode()) > ITEM_BYTES:
            return False
        item = ToolAnswerItem(
            pk=keys.agent(tenant, agent_id),
            sk=keys.tool_answer(digest),
            result=result,
            good_until=good_until,
            expires_at=good_until // 1000 + 60,
        )
        retrying(item.save)
        return True
