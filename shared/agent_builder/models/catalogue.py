"""A model on offer, as the catalogue tells of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Prices(BaseModel):
    """USD a million tokens, as decimal strings; None where the vendor has no such price."""

    model_config = ConfigDict(frozen=True)

    input: str
    cached_input: str | None
    cache_write: str | None
    output: str


class Capabilities(BaseModel):
    """What the model's API takes."""

    model_config = ConfigDict(frozen=True)

    tools: bool
    thinking: bool
    vision: bool
    temperature: bool


class CatalogueModel(BaseModel):
    """One model to offer. `context_window` and `max_output_tokens` are in tokens, None where unknown."""

    model_config = ConfigDict(frozen=True)

    provider: str
    id: str
    name: str
    context_window: int
    max_output_tokens: int | None
    prices: Prices | None
    capabilities: Capabilities
