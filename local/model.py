"""The small model that answers when no provider's key is set."""
from __future__ import annotations
from local.settings import Settings
class Model:
    def __init__(self, settings: Settings) -> None:
        self.base_url: str | None = None
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
