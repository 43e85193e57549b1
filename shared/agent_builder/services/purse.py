"""What one run may still use: held before each model call, by whomever inside the run it is made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from agent_builder import metrics as counted
from agent_builder.errors import BudgetExceeded, StoreError
from agent_builder.messages import ModelRequest, Usage
from agent_builder.models.budgets import Spent
from agent_builder.services.account import Account
from agent_builder.services.budgets import BudgetBook, InForce, advice, no_room, spent_said, tokens_of
from agent_builder.services.engine import Price
from agent_builder.services.history import DEFAULT_OUTPUT, request_tokens

logger = logging.getLogger(__name__)

Thread = Callable[..., Awaitable[object]]


class Spender(Protocol):
    """A run, or what is limited and counted as one is."""

    @property
    def run_id(self) -> str:
        """Names its share in the counters."""
        ...

    @property
    def agent_id(self) -> str:
        """Whose budgets apply."""
        ...

    @property
    def accepted_at(self) -> int:
        """When it was accepted; milliseconds."""
        ...


class Purse:
    """One run's, in one invocation. Model calls that go on side by side take from it one after the other.

    Attributes:
        refusal: What refused a model call, if anything did.
        writing: A write, if there was one; its thread goes on behind whoever asked for it and was cancelled.
    """

    def __init__(self, book: BudgetBook, tenant: str, run: Spender, account: Account, thread: Thread) -> None:
        self._book = book
        self._tenant = tenant
        self._run = run
        self._account = account
        self._thread = thread
        self._in_force = InForce()
        self._held: list[Spent] = []
        self.refusal: BudgetExceeded | None = None
        self._lock = asyncio.Lock()
        self.writing: asyncio.Future[object] | None = None

    @property
    def counts_money(self) -> bool:
        """Whether prices must be known before a call."""
        return any(budget.amount_nanousd is not None for budget in self._in_force.budgets)

    @property
    def _used(self) -> Spent:
        return Spent(self._account.cost.amount_nanousd or 0, tokens_of(self._account.usage))

    async def refresh(self) -> None:
        """Know what is in force."""
        run = self._run
        found = await self._thread(self._book.in_force, self._tenant, run.agent_id, run.accepted_at)
        assert isinstance(found, InForce)
        self._in_force = found

    @asynccontextmanager
    async def hold(self, request: ModelRequest, price: Price) -> AsyncIterator[None]:
        """Hold what a call may cost while it goes on; what it did cost is settled with the next write.

        Raises:
            BudgetExceeded: A budget has no room for it, or had none for an earlier call of this run: one that was
                refused inside a tool ends the run, whatever the model that asked would make of it.
        """
        if not self._in_force.budgets:
            yield
            return
        estimate = estimated(request, price)
        async with self._lock:
            if self.refusal:
                raise self.refusal
            await self._take(estimate)
        try:
            yield
        finally:
            self._held.remove(estimate)

    async def _take(self, estimate: Spent) -> None:
        self._held.append(estimate)
        try:
            self._check_run(estimate)
            await self._write(strict=True)
        except BaseException as error:
            self._held.remove(estimate)
            self.refusal = error if isinstance(error, BudgetExceeded) else None
            raise

    async def settle(self) -> None:
        """Say what was used. Should that fail, it is said with the next call, or at the end."""
        if not self._in_force.limits:
            return
        async with self._lock:
            try:
                await self._write()
            except StoreError:
                logger.warning("a budget was not settled yet")

    async def _write(self, *, strict: bool = False) -> None:
        book, limits, run_id = self._book, self._in_force.limits, self._run.run_id
        if self.writing is not None and not self.writing.done():
            await asyncio.wait({self.writing})
        if limits:
            book.target(run_id, self._used, sum(self._held, Spent()))
            self.writing = asyncio.ensure_future(self._thread(book.write, self._tenant, run_id, limits, strict=strict))
            await asyncio.shield(self.writing)

    def _check_run(self, needed: Spent) -> None:
        budget = self._in_force.run
        if budget is not None and budget.exceeded(self._used + sum(self._held, Spent())):
            self._book.metrics.add(counted.BUDGETS_EXCEEDED, budget="run")
            then = advice(budget, needed, "Begin anew with a new message, or ask an owner to raise it.")
            used = spent_said(budget, self._used + sum(self._held, Spent()) - needed)
            raise BudgetExceeded(f"{no_room('one run', budget, needed)}; used or held are {used}. {then}")


def estimated(request: ModelRequest, price: Price) -> Spent:
    """What a call may cost: all that the model is given, uncached, and the longest answer that it may give."""
    usage = Usage(input_tokens=request_tokens(request), output_tokens=request.max_tokens or DEFAULT_OUTPUT)
    return Spent(price(request.model, usage).amount_nanousd or 0, tokens_of(usage))
