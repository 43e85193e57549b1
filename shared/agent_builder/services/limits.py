"""Keeps each tenant and each caller within their limits. The counts are exact, whoever counts along."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import StoreError, TooManyRequests
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.models.limits import Standing, TenantLimits
from agent_builder.repositories import keys
from agent_builder.repositories.limits import Entry, LimitRepository, Slot

logger = logging.getLogger(__name__)

DEFAULTS = TenantLimits()
OVERRIDES_FRESH_MS = 10_000
RUN_SLOT_MS = 15 * 60_000
CONNECTION_SLOT_MS = 125 * 60_000
_MINUTE_MS = 60_000
_BUSY_SECONDS = 5
_TENANTS_KEPT = 1024


class LimitService:
    """One instance per execution environment; it remembers a tenant's own limits for ten seconds."""

    def __init__(self, repository: LimitRepository, clock: Clock = now_ms, defaults: TenantLimits = DEFAULTS) -> None:
        self._repository = repository
        self._clock = clock
        self._defaults = defaults
        self._known: dict[str, tuple[int, TenantLimits]] = {}

    def of(self, tenant: str) -> TenantLimits:
        """What applies to a tenant, as it was at most ten seconds ago."""
        known = self._known.get(tenant)
        if known is None or self._clock() - known[0] > OVERRIDES_FRESH_MS:
            if len(self._known) >= _TENANTS_KEPT:
                self._known.clear()
            known = (self._clock(), self._defaults.with_overrides(self._repository.overrides(tenant)))
            self._known[tenant] = known
        return known[1]

    def change(self, tenant: str, patch: Json) -> TenantLimits:
        """Apply a merge patch; null goes back to the default. In force everywhere within ten seconds."""
        overrides = {**self._repository.overrides(tenant), **patch}
        kept = {name: int(value) for name, value in overrides.items() if value is not None}
        self._repository.save_overrides(tenant, kept)
        self._known.pop(tenant, None)
        return self._defaults.with_overrides(kept)

    def request(self, identity: Identity) -> Standing:
        """Count a REST request of this caller."""
        now, limit = self._clock(), self.of(identity.tenant).requests_per_minute
        pk = keys.caller_gate(identity.tenant, identity.subject)
        passed = self._repository.enter(Entry(pk, "REQUESTS", now, {"all": limit}))
        reset = _until_next_minute(now)
        if passed.full:
            return Standing(limit, 0, reset, refused=True)
        return Standing(limit, max(0, limit - passed.counts["all"]), reset)

    @contextmanager
    def message(self, identity: Identity, agent_id: str, slot: str) -> Iterator[None]:
        """Count a message and take a place among the tenant's runs; given back if the body raises.

        Args:
            slot: The place's name; `end_runs` gives it back.

        Raises:
            TooManyRequests: What is full, and when to try again.
        """
        now, limits = self._clock(), self.of(identity.tenant)
        subject, agent = keys.counter("s", identity.subject), keys.counter("a", agent_id)
        counters = {
            "all": limits.messages_per_minute,
            subject: limits.messages_per_minute_per_subject,
            agent: limits.messages_per_minute_per_agent,
        }
        place = Slot(slot, now + RUN_SLOT_MS, limits.runs_at_once)
        passed = self._repository.enter(Entry(keys.tenant_gate(identity.tenant), keys.HEAD, now, counters, place))
        if passed.full == "slots":
            detail = f"{place.limit} answers are being made already; wait for one to end."
            raise TooManyRequests(detail, retry_after=_BUSY_SECONDS)
        if passed.full:
            whose = {"all": "this tenant", subject: "you", agent: "this agent"}[passed.full]
            detail = f"{counters[passed.full]} messages a minute are the limit for {whose}; wait a little."
            raise TooManyRequests(detail, retry_after=_until_next_minute(now))
        try:
            yield
        except BaseException:
            self.end_runs(identity.tenant, [slot])
            raise

    def end_runs(self, tenant: str, slots: Sequence[str]) -> None:
        """Give places back. Should that fail, they end by themselves."""
        try:
            self._repository.leave(keys.tenant_gate(tenant), keys.HEAD, slots)
        except StoreError:
            logger.warning("a run's place was not given back")

    def connect(self, identity: Identity, connection_id: str) -> None:
        """Take a place among the caller's connections.

        Raises:
            TooManyRequests: All are taken.
        """
        now, limit = self._clock(), self.of(identity.tenant).connections_at_once
        pk = keys.caller_gate(identity.tenant, identity.subject)
        place = Slot(connection_id, now + CONNECTION_SLOT_MS, limit)
        if self._repository.enter(Entry(pk, "CONNECTIONS", now, slot=place)).full:
            raise TooManyRequests(f"{limit} connections are open already; close one.", retry_after=_BUSY_SECONDS)

    def disconnect(self, tenant: str, subject: str, connection_ids: Sequence[str]) -> None:
        """Give the places of connections back."""
        try:
            self._repository.leave(keys.caller_gate(tenant, subject), "CONNECTIONS", connection_ids)
        except StoreError:
            logger.warning("a connection's place was not given back")


def _until_next_minute(now: int) -> int:
    return (_MINUTE_MS - now % _MINUTE_MS + 999) // 1000
