"""The one protocol that every model vendor is behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from agent_builder.messages import ModelEvent, ModelRequest


class Provider(Protocol):
    """A model vendor.

    `stream` yields `TextDelta` and `ThinkingDelta` as they come and ends with exactly one `ModelFinished`. It raises
    `ProviderError` and nothing else; it makes one attempt (retries belong to `retry.stream_with_retries`).
    Closing the iterator drops the connection at once.
    """

    name: str

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Call the model once."""
        ...
