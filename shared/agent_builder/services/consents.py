"""People on the way to an authorization server and back (OAuth's authorization code with PKCE). REST's side.

Whoever comes back shows no identity, only the `state` they took along: random, good once, for ten minutes, stored as
its hash. What they bring is sealed at once; the runner alone opens it and asks for tokens.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import Conflict, StoreError
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.consents import Consent
from agent_builder.models.credentials import Credential
from agent_builder.models.identity import Identity
from agent_builder.models.places import Place
from agent_builder.models.principals import consent_tenant, fingerprint, new_consent
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.grants import GrantRepository
from agent_builder.tools.auth.consent import consent_address

if TYPE_CHECKING:
    from agent_builder.crypto import Envelopes

CONSENT_SECONDS = 600
CODE_LIMIT = 4_096
# What authorization servers say in place of a code (RFC 6749, OpenID Connect). Other words are nobody's.
_REFUSALS = frozenset(
    "access_denied account_selection_required consent_required interaction_required invalid_request invalid_scope "
    "login_required server_error temporarily_unavailable unauthorized_client unsupported_response_type".split()
)


@dataclass(frozen=True, slots=True)
class ConsentService:
    """Starts and ends consents.

    Attributes:
        envelopes: Makes what seals.
    """

    repository: GrantRepository
    doorbell: Doorbell
    envelopes: Callable[[], Envelopes]
    clock: Clock = now_ms

    def start(self, identity: Identity, credential: Credential, *, redirect_uri: str) -> Json:
        """Where the person is to go.

        Raises:
            Conflict: `no_consent_needed`: it is no credential that people consent to.
        """
        if credential.kind != "oauth2" or credential.settings["grant"] != "authorization_code":
            raise Conflict("Only OAuth with an authorization code is connected.", code="no_consent_needed")
        state, verifier = new_consent(identity.tenant), secrets.token_urlsafe(48)
        left = encode({"verifier": verifier, "redirect_uri": redirect_uri}).encode()
        ends = self.clock() // 1000 + CONSENT_SECONDS
        consent = Consent(
            tenant=identity.tenant,
            hash=state.hash,
            credential_id=credential.id,
            revision=credential.revision,
            sealed=self.envelopes().seal(left, Place(identity.tenant, credential.id, "consent")),
            expires_at=ends,
            subject=identity.subject,
        )
        self.repository.begin(consent)
        address = consent_address(credential.settings, redirect_uri=redirect_uri, state=state.text, verifier=verifier)
        return {"authorization_url": address, "redirect_uri": redirect_uri, "expires_at": rfc3339(ends * 1000)}

    def finish(self, state: str, *, code: str, error: str) -> str:
        """Take what somebody came back with; "" if tokens came of it, else a word for why not."""
        tenant = consent_tenant(state)
        consent = self.repository.consent(tenant, fingerprint(state)) if tenant else None
        if tenant is None or consent is None or consent.expires_at * 1000 < self.clock():
            return "consent_expired"
        if not code or len(code) > CODE_LIMIT:
            self.repository.take(tenant, consent.hash)
            failure = error if error in _REFUSALS else "no_code"
        elif not self.repository.came_back(tenant, consent, self._sealed(consent, code)):
            return "consent_expired"
        else:
            failure = self._exchanged(consent)
        # Whoever waits for it elsewhere learns it from the credential; whoever came back is told in any case.
        with suppress(StoreError):
            self.repository.ended(tenant, consent, at=self.clock(), failure=failure)
        return failure

    def _sealed(self, consent: Consent, code: str) -> bytes:
        place = Place(consent.tenant, consent.credential_id, "consent")
        return self.envelopes().seal(encode({"code": code}).encode(), place)

    def _exchanged(self, consent: Consent) -> str:
        try:
            answer = self.doorbell.ask("connect", tenant_id=consent.tenant, consent=consent.hash)
        except StoreError:
            return "runner_unavailable"
        return str(answer.get("failure", "internal_error"))
