"""The one retry loop for all vendors; the SDKs' own are off."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from agent_builder.errors import ProviderError
from agent_builder.messages import ModelEvent, ModelFinished, ModelRequest
from agent_builder.providers.base import Provider

FIRST_WAIT = 0.5
MAX_WAIT = 60.0  # whom the vendor asks to wait longer is told so at once
LONGEST_WAIT = 20.0

OnRetry = Callable[[ProviderError, int, float], None]


async def stream_with_retries(
    provider: Provider,
    request: ModelRequest,
    *,
    deadline: float,
    attempts: int = 3,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_retry: OnRetry | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[ModelEvent, None]:
    """The provider's stream, begun again after a passing failure as long as nothing has come of it yet.

    Once an event has come, a failure is the caller's: what has been shown cannot be taken back here.

    Args:
        provider: Whose stream.
        request: What is asked.
        deadline: Seconds of `clock`, after which no further attempt is begun. A wait that the vendor asks for and
            that would end after it is not begun either: the failure is raised at once.
        attempts: In all, the first included.
        sleep: Awaits that many seconds.
        on_retry: Told of each retry: the failure, the number of the attempt that failed, the seconds to wait.
        clock: Seconds that only rise.

    Raises:
        ProviderError: the last attempt's, with the number of `retries`; `lost` where any of them was.
    """
    lost = False
    for attempt in range(1, attempts + 1):
        begun = False
        try:
            stream = cast(AsyncGenerator[ModelEvent, None], provider.stream(request))
            async with aclosing(stream):
                async for event in stream:
                    begun = True
                    yield replace(event, retries=attempt - 1, lost=lost) if isinstance(event, ModelFinished) else event
            return
        except ProviderError as failure:
            wait, failure.retries = _wait(failure, attempt), attempt - 1
            lost = failure.lost = lost or failure.lost
            too_long = wait > MAX_WAIT or clock() + wait >= deadline
            if begun or not failure.retryable or attempt == attempts or too_long:
                raise
            if on_retry is not None:
                on_retry(failure, attempt, wait)
        await sleep(wait)


def _wait(failure: ProviderError, attempt: int) -> float:
    """What the vendor asked for and a little more, else twice as long each time; both with jitter."""
    if failure.retry_after is not None:
        return failure.retry_after * random.uniform(1.0, 1.1)  # noqa: S311
    return min(FIRST_WAIT * 2.0 ** (attempt - 1), LONGEST_WAIT) * random.uniform(0.5, 1.5)  # noqa: S311
