"""Messages, their parts, what a model streams, and what it used: pure values without ids or keys of storage.

A message is a list of typed parts. One assistant message covers a whole run, so its parts may hold several rounds
of `tool_call` and `tool_result`; `rounds()` takes them apart for the vendors, who want separate messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Json = dict[str, Any]
StopReason = Literal["end_turn", "max_tokens", "tool_use", "stop_sequence", "content_filter", "refusal"]
Effect = Literal["read", "write"]
CallOutcome = Literal[
    "failed",  # the tool said so, or none of the others
    "unknown",  # it may have acted: its answer was lost
    "timeout",
    "denied",  # by a person who was asked to approve it
    "expired",  # nobody approved it in time
    "skipped",  # its run ended before it began
    "cancelled",  # its run ended while it went on
    "invalid_arguments",
    "unknown_tool",
]


class _Part(BaseModel):
    """`provider_details` is what one vendor wants back verbatim: `{"provider": name, ...}`; others ignore it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider_details: Json | None = None


class TextPart(_Part):
    """What the user or the model said."""

    type: Literal["text"] = "text"
    text: str


class ThinkingPart(_Part):
    """What the model thought, as far as its vendor shows it; `text` may be empty where only a signature came."""

    type: Literal["thinking"] = "thinking"
    text: str


class ToolCallPart(_Part):
    """The model asks for a tool. `input` is the parsed JSON object.

    `invalid` is the raw text where the arguments were not a JSON object: such a call is never run, the model is told.
    """

    type: Literal["tool_call"] = "tool_call"
    tool_use_id: str
    name: str
    input: Json
    invalid: str | None = None


class ToolResultPart(_Part):
    """What the tool answered. `result` is always an object; on an error it is `{}` and `error` says why.

    `outcome` says in a word what became of a call with an `error`; what was stored before there were outcomes has none.
    `needs_reconnect` is the id of the credential that a person must connect before the tool works.
    """

    type: Literal["tool_result"] = "tool_result"
    tool_use_id: str
    name: str
    result: Json
    error: str | None = None
    outcome: CallOutcome | None = None
    duration_ms: int | None = None
    needs_reconnect: str | None = None


Part = Annotated[TextPart | ThinkingPart | ToolCallPart | ToolResultPart, Field(discriminator="type")]


class Message(BaseModel):
    """One message as a model sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All text parts joined, as `offset` counts it."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


def user_message(text: str) -> Message:
    """A user message of one text part."""
    return Message(role="user", parts=(TextPart(text=text),))


@dataclass(frozen=True, slots=True)
class Round:
    """One model step of an assistant message: what the model said, then the results of the tools it called."""

    said: tuple[TextPart | ThinkingPart | ToolCallPart, ...]
    results: tuple[ToolResultPart, ...]


def rounds(message: Message) -> Iterator[Round]:
    """Split an assistant message into its model steps, in order."""
    said: list[TextPart | ThinkingPart | ToolCallPart] = []
    results: list[ToolResultPart] = []
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            results.append(part)
            continue
        if results:
            yield Round(tuple(said), tuple(results))
            said, results = [], []
        said.append(part)
    if said or results:
        yield Round(tuple(said), tuple(results))


class Usage(BaseModel):
    """Tokens of one or more model steps.

    `input_tokens` includes both cache counts, `output_tokens` includes `reasoning_tokens`, for every vendor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    _charges: tuple[Charge, ...] = PrivateAttr(default=())
    _doubtful: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def doubtful(self) -> frozenset[str]:
        """The counts that a vendor did not tell, or that cannot be; with any of them nothing has a price."""
        return self._doubtful

    def doubting(self, names: Iterable[str]) -> Usage:
        """The same counts, of which these are not to be relied on."""
        doubted = self.model_copy()
        doubted._doubtful = self._doubtful | frozenset(names)
        return doubted

    @property
    def charges(self) -> tuple[Charge, ...]:
        """The requests that were billed for it; a sum over steps does not know them any more."""
        return self._charges or (Charge(self),)

    @classmethod
    def billed(cls, *charges: Charge) -> Usage:
        """What these requests used as a whole, with what there is to know for their price."""
        total = sum((charge.usage for charge in charges), cls())
        total._charges = charges
        return total.doubting(name for charge in charges for name in charge.usage.doubtful)

    def __eq__(self, other: object) -> bool:
        """By the counts: how they were billed does not matter."""
        return isinstance(other, Usage) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        return hash(tuple(self.model_dump().values()))

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})


@dataclass(frozen=True, slots=True)
class Charge:
    """One request as its vendor bills it: what else the price of its tokens depends on, and what comes on top.

    Attributes:
        usage: Of this request alone, since prices have tiers by a request's size.
        model: Which made it, where that is another than the one that answers.
        hour_writes: How many of the cache writes are kept for an hour, which costs more.
        web_searches, file_searches: Of the vendor's own tools; each is paid.
        terms: What is billed differently from the standard, like `{"service_tier": "flex"}`.
        unpriced: Something was done that is paid and that no list has a price of.
    """

    usage: Usage
    model: str = ""
    hour_writes: int = 0
    web_searches: int = 0
    file_searches: int = 0
    terms: tuple[tuple[str, str], ...] = ()
    unpriced: bool = False


class Cost(BaseModel):
    """Money in integer nano-dollars (1e-9 USD). `amount_nanousd` is None when nothing could be priced.

    The cost of one step knows whose price it is; it keeps that to itself, and a sum does not know it any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_nanousd: int | None = None
    unpriced_steps: int = 0
    _price: Json | None = PrivateAttr(default=None)

    @property
    def price(self) -> Json | None:
        """Whose price it is and of when: `source`, `at`, and what else tells where to find it."""
        return self._price

    def by(self, price: Json | None) -> Cost:
        """The same cost, with whose price it is."""
        told = self.model_copy()
        told._price = price
        return told

    def __add__(self, other: Cost) -> Cost:
        amounts = [a for a in (self.amount_nanousd, other.amount_nanousd) if a is not None]
        return Cost(
            amount_nanousd=sum(amounts) if amounts else None,
            unpriced_steps=self.unpriced_steps + other.unpriced_steps,
        )


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ModelFinished:
    """The terminal event of a model's stream; a stream that ends without it is broken.

    Attributes:
        parts: Everything the model said in this step, whole and in order.
        stop_reason: Why it stopped, in our words.
        usage: Tokens, normalised.
        model: The model that answered, as the vendor names it.
        vendor_stop_reason: The vendor's own word, for traces.
        retries: How often it was asked in vain before, without anything coming of it.
        lost: Whether one of those may have been charged for: the vendor had begun, or nobody knows.
    """

    parts: tuple[TextPart | ThinkingPart | ToolCallPart, ...]
    stop_reason: StopReason
    usage: Usage
    model: str = ""
    vendor_stop_reason: str = ""
    retries: int = 0
    lost: bool = False


ModelEvent = TextDelta | ThinkingDelta | ModelFinished


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it. `input_schema` is a JSON Schema of type object.

    What else it has is for us, no vendor is told: what only reads may be called again when its answer was lost.

    Attributes:
        timeout_seconds: How long a call may take; None for the run's own limit.
        approval_seconds: How long a person's approval is waited for; 0 where none is needed.
        strict: The schema keeps the rules of OpenAI's strict mode.
        resumable: A call that was cut off is made again by its next runner, and goes on by itself where it ended.
        asks: The purposes of the models that a call asks, in order; `""` where that is all that it does.
    """

    name: str
    description: str
    input_schema: Json
    effect: Effect = "write"
    timeout_seconds: float | None = None
    approval_seconds: int = 0
    strict: bool = False
    resumable: bool = False
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of a model.

    Attributes:
        model: The vendor's model name, passed through as it is.
        messages: Oldest first; the last is the user's, or an assistant message that ends in tool results.
        temperature, max_tokens, top_p, reasoning_effort: Sent only when set and where the vendor takes them.
        options: Extras of this vendor, merged into the request body as they are.
        cache_key: Stable per conversation; vendors that route by it find their cache again.
        deadline: Seconds of `time.monotonic()` after which the call is given up.
    """

    model: str
    messages: Sequence[Message]
    system: str = ""
    tools: Sequence[ToolSpec] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    options: Json = field(default_factory=dict)
    cache_key: str = ""
    deadline: float | None = None
