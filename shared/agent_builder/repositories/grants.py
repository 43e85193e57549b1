"""OAuth: tokens that are renewed by one worker at a time, and people who are giving their consent."""

from __future__ import annotations

from collections.abc import Callable

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from agent_builder.errors import RaceLost
from agent_builder.models.consents import Consent
from agent_builder.models.credentials import Credential
from agent_builder.repositories import keys
from agent_builder.repositories.credentials import CredentialItem
from agent_builder.repositories.table import Item, get_item, present, retrying


class ConsentItem(Item, discriminator="consent"):
    """A person on the way to an authorization server and back."""

    credential_id = UnicodeAttribute()
    revision = NumberAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)
    code = BinaryAttribute(legacy_encoding=False, null=True)
    subject = UnicodeAttribute()
    ends_at = NumberAttribute()


class GrantRepository:
    """Access patterns: a credential's tokens (they lie in its item); a consent by the hash of its `state`.

    A lease keeps workers from renewing the same tokens side by side. It is no lock: what counts is the version, which
    only one of them can raise.
    """

    def lease(self, tenant: str, credential: Credential, *, now: int, until: int) -> bool:
        """Take the lease on renewing the very tokens that were read; False if somebody has it, or they changed."""
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        free = _same_tokens(credential) & (CredentialItem.lease_until < now)
        return _done(lambda: item.update([CredentialItem.lease_until.set(until)], free))

    def release(self, tenant: str, credential: Credential, *, until: int) -> None:
        """Give the lease back that ends then."""
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        _done(lambda: item.update([CredentialItem.lease_until.set(0)], CredentialItem.lease_until == until))

    def save(
        self,
        tenant: str,
        credential: Credential,
        sealed: bytes,
        *,
        obtained_at: int,
        expires_at: int,
        renewed_for_refusal_at: int | None = None,
    ) -> bool:
        """Put new tokens in the place of those that were read; False if somebody else has done so, or it was replaced.

        Whoever holds the lease may be another by now. These tokens are newer than the ones it has, so they are stored
        all the same, and it will see that.

        Args:
            renewed_for_refusal_at: As in `Tokens`; None to keep what stands there.
        """
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        actions: list[Action] = [
            CredentialItem.tokens.set(sealed),
            CredentialItem.tokens_at.set(obtained_at),
            CredentialItem.tokens_end_at.set(expires_at),
            CredentialItem.tokens_version.set(credential.tokens.version + 1),
            CredentialItem.status.set("ready"),
            CredentialItem.failure.set(""),
            CredentialItem.lease_until.set(0),
        ]
        if renewed_for_refusal_at is not None:
            actions.append(CredentialItem.renewed_for_refusal_at.set(renewed_for_refusal_at))
        return _done(lambda: item.update(actions, _same_tokens(credential)))

    def accepted(self, tenant: str, credential_id: str, version: tuple[int, int]) -> None:
        """Note that an API has accepted the tokens of this version (revision, version of tokens)."""
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential_id)
        same = (CredentialItem.revision == version[0]) & (CredentialItem.tokens_version == version[1])
        marked = CredentialItem.renewed_for_refusal_at > 0
        _done(lambda: item.update([CredentialItem.renewed_for_refusal_at.set(0)], same & marked))

    def fail(self, tenant: str, credential: Credential, failure: str) -> bool:
        """Note that the very tokens that were read cannot be renewed: a person must connect again."""
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        actions: list[Action] = [
            CredentialItem.status.set("needs_reconnect"),
            CredentialItem.failure.set(failure),
            CredentialItem.lease_until.set(0),
        ]
        return _done(lambda: item.update(actions, _same_tokens(credential)))

    def begin(self, consent: Consent) -> None:
        """Store somebody who is leaving."""
        item = ConsentItem(
            pk=keys.consent(consent.tenant, consent.hash),
            sk=keys.HEAD,
            credential_id=consent.credential_id,
            revision=consent.revision,
            sealed=consent.sealed,
            subject=consent.subject,
            ends_at=consent.expires_at,
            expires_at=consent.expires_at,
        )
        retrying(item.save)

    def consent(self, tenant: str, state_hash: str) -> Consent | None:
        """Somebody who left; whether in time is for the caller to see."""
        item = get_item(ConsentItem, keys.consent(tenant, state_hash), keys.HEAD)
        return _consent(tenant, item) if item else None

    def came_back(self, tenant: str, consent: Consent, code: bytes) -> bool:
        """Store the code somebody came back with; False if somebody did before, or it was taken."""
        item = ConsentItem(pk=keys.consent(tenant, consent.hash), sk=keys.HEAD)
        fresh = ConsentItem.pk.exists() & ConsentItem.code.does_not_exist()
        return _done(lambda: item.update([ConsentItem.code.set(code)], fresh))

    def ended(self, tenant: str, consent: Consent, *, at: int, failure: str) -> None:
        """Note at the credential how a consent ended, unless it was replaced or deleted meanwhile."""
        item = CredentialItem(pk=keys.credentials(tenant), sk=consent.credential_id)
        actions: list[Action] = [CredentialItem.consent_at.set(at), CredentialItem.consent_failure.set(failure)]
        _done(lambda: item.update(actions, CredentialItem.revision == consent.revision))

    def take(self, tenant: str, state_hash: str) -> Consent | None:
        """Remove a consent, and answer it: for one caller only."""
        item = ConsentItem(pk=keys.consent(tenant, state_hash), sk=keys.HEAD)
        found = get_item(ConsentItem, item.pk, item.sk)
        if found is None or not _done(lambda: item.delete(ConsentItem.pk.exists())):
            return None
        return _consent(tenant, found)


def _same_tokens(credential: Credential) -> Condition:
    version: Condition = CredentialItem.tokens_version == credential.tokens.version
    same: Condition = version & (CredentialItem.revision == credential.revision)
    return same


def _done(write: Callable[[], object]) -> bool:
    try:
        retrying(write)
    except RaceLost:
        return False
    return True


def _consent(tenant: str, item: ConsentItem) -> Consent:
    return Consent(
        tenant=tenant,
        hash=keys.id_of(item.pk),
        credential_id=item.credential_id,
        revision=int(item.revision),
        sealed=bytes(item.sealed),
        expires_at=int(item.ends_at),
        subject=item.subject,
        code=bytes(item.code) if present(item.code) else b"",
    )
