"""How calls get their credentials: opened, renewed before they end, one worker at a time. The runner's side.

Renewing, in full: who finds tokens near their end takes a lease on that very version of them, asks the authorization
server, and stores what came before anybody uses it. Everybody else waits for the new version, or goes on with the old
one as long as it is good. A refresh token that is refused may have been used up by another worker: it must be connected
again by a person only if what is stored is still what was read.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import (
    GrantRefused,
    ReconnectNeeded,
    SecretsUnavailable,
    StoreError,
    TokenEndpointFailed,
    ToolError,
)
from agent_builder.messages import Json
from agent_builder.models.credentials import Credential
from agent_builder.models.places import Place
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.grants import GrantRepository
from agent_builder.services.secrets import Secrets
from agent_builder.tools.auth.material import Material, Pairs, material_of
from agent_builder.tools.auth.oauth import TokenClient, TokenSet
from agent_builder.tools.egress import Answer, Egress, EgressLimits

# Longer than all tries of one renewal take (`tools.auth.oauth.LIMITS`).
LEASE_MS = 20_000
WAIT_MS = 22_000
SETTLE_SECONDS = 9.0
# Where an API refuses tokens, and those that were got in their place as well, it does so for another reason: for so
# long nobody renews again because of a refusal.
YOUNG_MS = 30_000
_PAUSE_SECONDS = 0.15
_ATTEMPTS = 3

logger = logging.getLogger(__name__)


class _Replaced(Exception):
    """Somebody has replaced the credential meanwhile: begin with what is there now."""


@dataclass
class Authorization:
    """Credentials for calls, of any tenant.

    Attributes:
        new_egress: Makes a tenant's way out. Renewals use one of their own, since they must outlive a call that is
            cancelled: once an authorization server has answered, the old refresh token may be worth nothing.
        sleep: Waits so many seconds.
        on_lost: Told of each credential that a person must connect again.
    """

    credentials: CredentialRepository
    grants: GrantRepository
    secrets: Secrets
    new_egress: Callable[[str], Awaitable[Egress]]
    clock: Clock = now_ms
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_lost: Callable[[], object] = lambda: None
    _renewing: set[asyncio.Task[Credential]] = field(default_factory=set, repr=False)

    async def call(
        self,
        egress: Egress,
        tenant: str,
        credential_id: str,
        *,
        method: str,
        url: str,
        headers: Pairs = (),
        body: bytes | None = None,
        purpose: str = "tool",
        limits: EgressLimits | None = None,
        tried: Callable[[], None] | None = None,
    ) -> tuple[Answer, Material]:
        """Make a call with a credential; once more with a renewed one, where the answer says that it is over.

        Returns:
            The answer, and the material that it was asked for with, for masking.

        Raises:
            ToolError: The credential cannot be used, or the call failed (see `Egress.send`).
        """

        async def send(material: Material) -> Answer:
            address, carried = material.applied(url, headers)
            return await egress.send(
                method, address, purpose=purpose, headers=carried, body=body, secret=True, limits=limits, tried=tried
            )

        material = await self.material(tenant, credential_id)
        answer = await send(material)
        if material.is_over(answer.status, answer.body):
            renewed = await self.material(tenant, credential_id, instead_of=material)
            if renewed.version != material.version:
                material, answer = renewed, await send(renewed)
                if answer.status < 500 and not material.is_over(answer.status, answer.body):
                    await self.accepted(tenant, credential_id, material)
        return answer, material

    async def material(self, tenant: str, credential_id: str, *, instead_of: Material | None = None) -> Material:
        """What a credential adds to a call.

        Args:
            instead_of: Material that turned out to be over. What comes back has the same version, where there is no
                other.

        Raises:
            ToolError: `credential_not_found`, `not_connected`, `needs_reconnect`, `token_endpoint_failed`.
        """
        for _ in range(_ATTEMPTS):
            credential = await self._read(tenant, credential_id)
            over = instead_of is not None and instead_of.version == _version(credential)
            try:
                return await self._material(tenant, credential, over=over)
            except _Replaced:
                continue
        raise ToolError("The credential is changed by many at this moment; try again.")

    async def accepted(self, tenant: str, credential_id: str, material: Material) -> None:
        """Note that an API took what it was given in place of material that was over."""
        try:
            await asyncio.to_thread(self.grants.accepted, tenant, credential_id, material.version)
        except StoreError:
            logger.warning("that a renewed token was accepted could not be noted")

    async def connect(self, tenant: str, state_hash: str) -> str:
        """Turn the code that somebody came back with into tokens; "" if that went well, else a word for why not."""
        consent = await asyncio.to_thread(self.grants.take, tenant, state_hash)
        if consent is None or not consent.code or consent.expires_at * 1000 < self.clock():
            return "consent_expired"
        credential = await asyncio.to_thread(self.credentials.get, tenant, consent.credential_id)
        if credential is None or credential.revision != consent.revision:
            return "credential_changed"
        place = Place(tenant, credential.id, "consent")
        left = await self.secrets.opened(place, consent.sealed)
        came = await self.secrets.opened(place, consent.code)
        began, secret = self.clock(), await self.secrets.secret(tenant, credential)
        try:
            async with await self.new_egress(tenant) as egress:
                client = TokenClient(egress, credential.settings, secret)
                tokens = await client.by_code(
                    came["code"], verifier=left["verifier"], redirect_uri=left["redirect_uri"]
                )
        except GrantRefused as refused:
            return refused.failure
        except ToolError as error:
            return error.error_code
        return "" if await self._save(tenant, credential, tokens, began, refusal_at=0) else "credential_changed"

    async def settle(self) -> None:
        """Wait for renewals that outlived their calls: frozen with the environment, they would lose their tokens."""
        if self._renewing:
            await asyncio.wait(self._renewing, timeout=SETTLE_SECONDS)

    # ---------------------------------------------------------------- tokens

    async def _material(self, tenant: str, credential: Credential, *, over: bool) -> Material:
        if credential.kind == "provider_key":
            raise ToolError("The credential of this tool is a model provider's key; choose one of another kind.")
        secret = await self.secrets.secret(tenant, credential)
        token = ""
        if credential.kind == "oauth2":
            credential = await self._usable(tenant, credential, secret, over=over)
            token = str((await self.secrets.tokens(tenant, credential))["access_token"])
        made = material_of(credential.kind, credential.settings, secret, access_token=token)
        return replace(made, allowed_hosts=credential.allowed_hosts, version=_version(credential))

    async def _usable(self, tenant: str, read: Credential, secret: Json, *, over: bool) -> Credential:
        """The credential with tokens that can be used. `over`: those that were read are no good, an API says."""
        if over and read.tokens.renewed_for_refusal_at + YOUNG_MS > self.clock():
            return read
        credential, deadline = read, self.clock() + WAIT_MS
        while True:
            _check(credential, read)
            acceptable = credential.tokens.version != read.tokens.version or not over
            if acceptable and self._good(credential) and not self._due(credential):
                return credential
            until = self.clock() + LEASE_MS
            if await asyncio.to_thread(self.grants.lease, tenant, credential, now=self.clock(), until=until):
                return await self._renewed(tenant, credential, secret, until, refused=not acceptable)
            if acceptable and self._good(credential):
                return credential  # somebody is at it; this one is good for a while yet
            if self.clock() > deadline:
                raise TokenEndpointFailed("The sign-in of this tool is being renewed; try again.", sent=False)
            await self.sleep(_PAUSE_SECONDS * (1 + random.random()))  # noqa: S311 (jitter)
            credential = await self._read(tenant, credential.id)

    async def _renewed(
        self, tenant: str, credential: Credential, secret: Json, lease: int, *, refused: bool
    ) -> Credential:
        """The credential with new tokens. The renewal goes on where whoever waits for it is cancelled."""
        task = asyncio.create_task(self._renew(tenant, credential, secret, lease, refused=refused))
        self._renewing.add(task)
        task.add_done_callback(self._done)
        renewed = await asyncio.shield(task)
        _check(renewed, credential)
        return renewed

    async def _renew(
        self, tenant: str, credential: Credential, secret: Json, lease: int, *, refused: bool = False
    ) -> Credential:
        """`refused`: because an API says that the tokens are no good."""
        began = self.clock()
        try:
            tokens = await self._asked(tenant, credential, secret)
            await self._save(tenant, credential, tokens, began, refusal_at=self.clock() if refused else None)
        except GrantRefused as error:
            return await self._refused(tenant, credential, error.failure)
        except BaseException as error:
            await asyncio.to_thread(self.grants.release, tenant, credential, until=lease)
            if isinstance(error, TokenEndpointFailed) and self._good(credential):
                return credential  # for a while yet; the next call tries again
            raise
        return await self._read(tenant, credential.id)

    def _done(self, task: asyncio.Task[Credential]) -> None:
        self._renewing.discard(task)
        if not task.cancelled():
            _ = task.exception()  # seen, also where nobody waits for it any more

    async def _asked(self, tenant: str, credential: Credential, secret: Json) -> TokenSet:
        async with await self.new_egress(tenant) as egress:
            client = TokenClient(egress, credential.settings, secret, self.sleep)
            if credential.settings["grant"] == "client_credentials":
                return await client.by_credentials()
            held = await self.secrets.tokens(tenant, credential)
            refresh_token = held.get("refresh_token") or secret.get("refresh_token")
            if not refresh_token:
                raise GrantRefused("no_refresh_token")
            return await client.by_refresh_token(refresh_token)

    async def _refused(self, tenant: str, credential: Credential, failure: str) -> Credential:
        """What stands there now, if somebody else has renewed it meanwhile; else it must be connected again."""
        if await asyncio.to_thread(self.grants.fail, tenant, credential, failure):
            logger.warning("a credential must be connected again", extra={"credential_id": credential.id})
            self.on_lost()
            raise _needs_reconnect(credential.id, failure)
        return await self._read(tenant, credential.id)

    async def _save(
        self, tenant: str, credential: Credential, tokens: TokenSet, began: int, *, refusal_at: int | None
    ) -> bool:
        """Store tokens in the place of those that were read; False if others are there by now."""
        plain = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
        ends = began + tokens.lifetime * 1000 if tokens.lifetime else 0
        save = partial(self.grants.save, obtained_at=began, expires_at=ends, renewed_for_refusal_at=refusal_at)
        for left in range(_ATTEMPTS - 1, -1, -1):
            try:
                sealed = await self.secrets.sealed(Place(tenant, credential.id, "token"), plain)
                return await asyncio.to_thread(save, tenant, credential, sealed)
            except (StoreError, SecretsUnavailable):  # lost, these tokens could not be had again
                if not left:
                    raise
            await self.sleep(_PAUSE_SECONDS)
        raise AssertionError("there is a last attempt")

    def _good(self, credential: Credential) -> bool:
        """Whether there is an access token that is not known to have ended."""
        tokens = credential.tokens
        return bool(tokens.sealed) and (tokens.expires_at == 0 or tokens.expires_at > self.clock())

    def _due(self, credential: Credential) -> bool:
        """Whether it is time to renew."""
        return 0 < credential.tokens.renew_at <= self.clock()

    async def _read(self, tenant: str, credential_id: str) -> Credential:
        credential = await asyncio.to_thread(self.credentials.get, tenant, credential_id)
        if credential is None:
            raise ToolError("The credential of this tool is gone; choose another.", code="credential_not_found")
        return credential


def _needs_reconnect(credential_id: str, failure: str) -> ReconnectNeeded:
    detail = f"The sign-in that this tool uses is no longer accepted ({failure}); a person must connect it again."
    return ReconnectNeeded(detail, credential_id=credential_id)


def _check(credential: Credential, read: Credential) -> None:
    if credential.revision != read.revision:
        raise _Replaced
    if credential.status == "not_connected":
        detail = "Nobody has signed this tool in yet; a person must connect it."
        raise ReconnectNeeded(detail, credential_id=credential.id, code="not_connected")
    # A client that proves itself may be let in again without anybody's doing.
    if credential.status == "needs_reconnect" and credential.settings["grant"] != "client_credentials":
        raise _needs_reconnect(credential.id, credential.failure)


def _version(credential: Credential) -> tuple[int, int]:
    return credential.revision, credential.tokens.version
