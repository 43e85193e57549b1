"""Credentials of a tenant, as people keep them. This side seals and never opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import Conflict, Fault, NotFound, PreconditionFailed, RaceLost, StoreError, Unprocessable
from agent_builder.ids import new_id, require_id
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.credentials import (
    Credential,
    CredentialInput,
    CredentialUse,
    first_status,
    public_settings,
    secret_values,
)
from agent_builder.models.identity import Identity
from agent_builder.models.places import Place
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.uses import UseRepository

if TYPE_CHECKING:
    from agent_builder.crypto import Envelopes

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class CredentialService:
    """Credentials of the caller's tenant.

    Attributes:
        envelopes: Makes what seals; called when something is sealed, since it takes long to import.
    """

    repository: CredentialRepository
    envelopes: Callable[[], Envelopes]
    clock: Clock = now_ms
    uses: UseRepository = field(default_factory=UseRepository)

    def create(self, identity: Identity, wanted: CredentialInput) -> Credential:
        """Store a credential.

        Raises:
            Conflict: `provider_key_exists`: the tenant has a key of that provider already.
            SecretsUnavailable: The key that protects secrets cannot be used now.
        """
        now, credential_id = self.clock(), new_id("crd")
        credential = self._sealed(identity, credential_id, wanted, created_at=now, created_by=identity.subject, now=now)
        try:
            self.repository.create(identity.tenant, credential)
        except RaceLost as race:
            if "provider" not in race.failed:
                raise StoreError("The credential could not be stored; try again.") from race
            detail = f"There is a key of {credential.provider} already; replace or delete that one."
            raise Conflict(detail, code="provider_key_exists") from None
        return credential

    def page(self, identity: Identity, *, limit: int, after: str | None) -> tuple[list[Credential], str | None]:
        """Newest first."""
        return self.repository.page(identity.tenant, limit=limit, before=after)

    def get(self, identity: Identity, credential_id: str) -> Credential:
        """One credential.

        Raises:
            NotFound: Unknown, foreign or deleted.
        """
        credential = self.repository.get(identity.tenant, require_id("crd", credential_id, "credential"))
        if credential is None:
            raise _nothing()
        return credential

    def used_by(self, identity: Identity, credential: Credential) -> list[CredentialUse]:
        """The first hundred of what names it."""
        return self.uses.of(identity.tenant, credential.id) if credential.uses else []

    def replace(
        self, identity: Identity, credential_id: str, wanted: CredentialInput, *, expected_revision: int | None
    ) -> Credential:
        """Put new content, secret included, in the place of the old. What was connected must be connected again.

        The secret is asked for every time: who could change the rest alone could have it sent to a server of theirs.

        Raises:
            NotFound, PreconditionFailed
            Unprocessable: The kind, or the provider of a provider's key, would change.
        """
        for _ in range(_ATTEMPTS):
            current = self.get(identity, credential_id)
            _check_revision(current, expected_revision)
            _check_kind(current, wanted)
            sealed = self._sealed(
                identity,
                current.id,
                wanted,
                created_at=current.created_at,
                created_by=current.created_by,
                now=self.clock(),
            )
            following = replace(sealed, revision=current.revision + 1, uses=current.uses)
            try:
                self.repository.replace(identity.tenant, following, revision=current.revision)
            except RaceLost:
                continue
            return following
        raise Conflict("The credential is changed by many at this moment; try again.")

    def delete(self, identity: Identity, credential_id: str, *, expected_revision: int | None) -> None:
        """Delete a credential that nothing uses.

        Raises:
            NotFound, PreconditionFailed
            Conflict: `credential_in_use`.
        """
        for _ in range(_ATTEMPTS):
            current = self.get(identity, credential_id)
            _check_revision(current, expected_revision)
            if current.uses:
                detail = "This credential is in use; `used_by` names what must let go of it first."
                raise Conflict(detail, code="credential_in_use")
            try:
                return self.repository.delete(identity.tenant, current)
            except RaceLost:
                continue
        raise Conflict("The credential is changed by many at this moment; try again.")

    def _sealed(
        self,
        identity: Identity,
        credential_id: str,
        wanted: CredentialInput,
        *,
        created_at: int,
        created_by: str,
        now: int,
    ) -> Credential:
        envelopes, settings = self.envelopes(), public_settings(wanted)
        place = Place(identity.tenant, credential_id, "secret")
        return Credential(
            id=credential_id,
            kind=wanted.kind,
            name=wanted.name,
            settings=settings,
            allowed_hosts=tuple(wanted.allowed_hosts),
            sealed=envelopes.seal(encode(secret_values(wanted)).encode(), place),
            key_id=envelopes.key_id,
            status=first_status(wanted.kind, settings),
            revision=1,
            created_at=created_at,
            created_by=created_by,
            updated_at=now,
        )


def credential_view(credential: Credential) -> Json:
    """A credential as people see it: all but its secret."""
    ends = credential.tokens.expires_at
    return {
        "id": credential.id,
        "name": credential.name,
        "kind": credential.kind,
        "settings": dict(credential.settings),
        "allowed_hosts": list(credential.allowed_hosts),
        "status": credential.status,
        "failure": credential.failure or None,
        "token_expires_at": rfc3339(ends) if ends else None,
        "last_consent": _last_consent(credential),
        "uses": credential.uses,
        "created_at": rfc3339(credential.created_at),
        "created_by": credential.created_by,
        "updated_at": rfc3339(credential.updated_at),
    }


def _last_consent(credential: Credential) -> Json | None:
    if not credential.consent_at:
        return None
    return {"at": rfc3339(credential.consent_at), "failure": credential.consent_failure or None}


def use_view(use: CredentialUse) -> Json:
    """What uses a credential, as people see it."""
    return {"kind": use.kind, "id": use.id, "name": use.name, "agent_id": use.agent_id or None}


def _nothing() -> NotFound:
    return NotFound("There is no credential with this id.")


def _check_revision(current: Credential, expected: int | None) -> None:
    if expected is not None and expected != current.revision:
        raise PreconditionFailed(f'The credential is at revision "{current.revision}" now.')


def _check_kind(current: Credential, wanted: CredentialInput) -> None:
    if wanted.kind != current.kind:
        fault = Fault("/kind", f"This credential is of the kind {current.kind}; make a new one.")
        raise Unprocessable("The kind of a credential cannot change.", faults=(fault,))
    provider = public_settings(wanted).get("provider", "")
    if provider != current.provider:
        fault = Fault("/settings/provider", f"This is a key of {current.provider}; make a new one.")
        raise Unprocessable("The provider of a key cannot change.", faults=(fault,))
