"""Keeps each tenant and each caller within their limits. The counts are exact, whoever counts along."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Conflict, StoreError, TooManyRequests
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.models.limits import Standing, TenantLimits
from agent_builder.repositories import keys
from agent_builder.repositories.limits import LASTING_SECONDS, Entry, LimitRepository, Slot, owned

logger = logging.getLogger(__name__)

DEFAULTS = TenantLimits()
OVERRIDES_FRESH_MS = 10_000
RUN_SLOT_MS = 15 * 60_000
CONNECTION_SLOT_MS = 125 * 60_000
MAX_API_KEYS = 100
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
        """Count a request of this caller, for them and for their tenant: by REST, or a frame that is no message."""
        now, limits = self._clock(), self.of(identity.tenant)
        caller, counters = _requests(identity, limits)
        passed = self._repository.enter(Entry(keys.tenant_gate(identity.tenant), "REQUESTS", now, counters))
        reset, tenants, own = _until_next_minute(now), counters["all"], counters[caller]
        if passed.full:
            return Standing(own, tenants, 0, reset, of_tenant=passed.full == "all", refused=True)
        left, left_to_tenant = own - passed.counts[caller], tenants - passed.counts["all"]
        return Standing(
            own,
            tenants,
            max(0, min(left, left_to_tenant)),
            reset,
            of_tenant=left_to_tenant < left,
            first=passed.counts[caller] == 1,
        )

    def frame(self, identity: Identity) -> None:
        """Count a frame that is no message, like a request.

        Raises:
            TooManyRequests: It is one too many.
        """
        standing = self.request(identity)
        if standing.refused:
            raise too_many(standing)

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
        """Count a handshake, and take a place among the connections of the caller and of their tenant.

        Raises:
            TooManyRequests: All are taken, or there were too many handshakes in this minute.
        """
        now, limits = self._clock(), self.of(identity.tenant)
        caller, counters = _requests(identity, limits)
        place = Slot(
            owned(caller, connection_id),
            now + CONNECTION_SLOT_MS,
            limits.tenant_connections_at_once,
            limits.connections_at_once,
        )
        passed = self._repository.enter(Entry(keys.tenant_gate(identity.tenant), "CONNECTIONS", now, counters, place))
        if passed.full in ("slots", "held"):
            number = place.limit if passed.full == "slots" else place.owner_limit
            whose = "in this tenant" if passed.full == "slots" else "of yours"
            raise TooManyRequests(
                f"{number} connections {whose} are open already; close one.", retry_after=_BUSY_SECONDS
            )
        if passed.full:
            detail = f"{counters[passed.full]} handshakes a minute are the limit; wait a little."
            raise TooManyRequests(detail, retry_after=_until_next_minute(now))

    def disconnect(self, tenant: str, subject: str, connection_ids: Sequence[str]) -> None:
        """Give the places of connections back."""
        caller = keys.counter("s", subject)
        try:
            places = [owned(caller, connection_id) for connection_id in connection_ids]
            self._repository.leave(keys.tenant_gate(tenant), "CONNECTIONS", places)
        except StoreError:
            logger.warning("a connection's place was not given back")

    def api_key(self, tenant: str, key_id: str, expires_at: int | None) -> None:
        """Take a place among the tenant's API keys. A key that has expired frees its own.

        Args:
            expires_at: When the key ends, in seconds; None if it does not.

        Raises:
            Conflict: There are as many as there may be.
        """
        now = self._clock()
        until = now + LASTING_SECONDS * 1000 if expires_at is None else expires_at * 1000
        place = Slot(key_id, until, MAX_API_KEYS)
        entry = Entry(keys.tenant_gate(tenant), "APIKEYS", now, slot=place, lasting=True)
        if self._repository.enter(entry).full:
            raise Conflict(f"There are {MAX_API_KEYS} API keys already; revoke one.", code="too_many_keys")

    def end_api_key(self, tenant: str, key_id: str) -> None:
        """Give a key's place back."""
        self._repository.leave(keys.tenant_gate(tenant), "APIKEYS", [key_id])


def too_many(standing: Standing) -> TooManyRequests:
    """How a request is refused."""
    number, whose = (standing.tenant_limit, "this tenant") if standing.of_tenant else (standing.limit, "you")
    detail = f"{number} requests a minute are the limit for {whose}; wait a little."
    return TooManyRequests(detail, retry_after=standing.reset)


def _requests(identity: Identity, limits: TenantLimits) -> tuple[str, dict[str, int]]:
    """Name of the caller's counter, and the counters of a request."""
    caller = keys.counter("s", identity.subject)
    return caller, {"all": limits.tenant_requests_per_minute, caller: limits.requests_per_minute}


def _until_next_minute(now: int) -> int:
    return (_MINUTE_MS - now % _MINUTE_MS + 999) // 1000
