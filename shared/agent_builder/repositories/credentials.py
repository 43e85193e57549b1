"""Credentials as people keep them. Secrets come and go sealed; what names them is in `uses`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from agent_builder.models.credentials import Credential, CredentialKind, Status, Tokens
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, present, retrying, translated


class CredentialItem(Item, discriminator="credential"):
    """A credential with its tokens. Times in milliseconds. `lease_until` outlives its owner."""

    type = UnicodeAttribute()
    name = UnicodeAttribute()
    settings = PackedJSON()
    allowed_hosts = PackedJSON()
    sealed = BinaryAttribute(legacy_encoding=False)
    key_id = UnicodeAttribute()
    status = UnicodeAttribute()
    failure = UnicodeAttribute(default="")
    revision = NumberAttribute()
    created_at = NumberAttribute()
    created_by = UnicodeAttribute()
    updated_at = NumberAttribute()
    uses = NumberAttribute(default=0)
    tokens_version = NumberAttribute(default=0)
    tokens = BinaryAttribute(legacy_encoding=False, null=True)
    tokens_at = NumberAttribute(default=0)
    tokens_end_at = NumberAttribute(default=0)
    lease_until = NumberAttribute(default=0)
    renewed_for_refusal_at = NumberAttribute(default=0)
    consent_at = NumberAttribute(default=0)
    consent_failure = UnicodeAttribute(default="")


class ProviderKeyItem(Item, discriminator="provider_key"):
    """Which credential is the tenant's key of a provider."""

    credential_id = UnicodeAttribute()


class CredentialRepository:
    """Access patterns: one by id; a tenant's newest first; a tenant's key of a provider."""

    def get(self, tenant: str, credential_id: str) -> Credential | None:
        """One strongly consistent read."""
        item = get_item(CredentialItem, keys.credentials(tenant), credential_id)
        return credential_of(item) if item else None

    def page(self, tenant: str, *, limit: int, before: str | None) -> tuple[list[Credential], str | None]:
        """Newest first; `before` and the returned cursor are ids."""
        condition = CredentialItem.sk < before if before else None
        with translated():
            results = CredentialItem.query(
                keys.credentials(tenant), condition, scan_index_forward=False, consistent_read=True, limit=limit + 1
            )
            page = [credential_of(item) for item in results]
        return page[:limit], page[limit - 1].id if len(page) > limit else None

    def create(self, tenant: str, credential: Credential) -> None:
        """Store a new one.

        Raises:
            RaceLost: `failed` has `provider`: the tenant has a key of that provider already.
        """
        write = Transaction()
        write.put("credential", _item(tenant, credential), CredentialItem.pk.does_not_exist())
        if credential.provider:
            pointer = ProviderKeyItem(
                pk=keys.provider_keys(tenant), sk=credential.provider, credential_id=credential.id
            )
            write.put("provider", pointer, ProviderKeyItem.pk.does_not_exist())
        write.commit()

    def replace(self, tenant: str, credential: Credential, *, revision: int) -> None:
        """Put new content in the place of an old revision; tokens that belonged to that are gone.

        Raises:
            RaceLost: It changed or was deleted meanwhile.
        """
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        actions: list[Action] = [
            CredentialItem.name.set(credential.name),
            CredentialItem.settings.set(dict(credential.settings)),
            CredentialItem.allowed_hosts.set(list(credential.allowed_hosts)),
            CredentialItem.sealed.set(credential.sealed),
            CredentialItem.key_id.set(credential.key_id),
            CredentialItem.status.set(credential.status),
            CredentialItem.failure.set(""),
            CredentialItem.revision.set(credential.revision),
            CredentialItem.updated_at.set(credential.updated_at),
            CredentialItem.tokens.remove(),
            CredentialItem.tokens_at.set(0),
            CredentialItem.tokens_end_at.set(0),
            CredentialItem.lease_until.set(0),
            CredentialItem.renewed_for_refusal_at.set(0),
            CredentialItem.consent_at.set(0),
            CredentialItem.consent_failure.set(""),
            # Goes on counting, so that whoever is renewing the old tokens cannot store them here.
            CredentialItem.tokens_version.add(1),
        ]
        retrying(lambda: item.update(actions=actions, condition=CredentialItem.revision == revision))

    def delete(self, tenant: str, credential: Credential) -> None:
        """Remove one that nothing names.

        Raises:
            RaceLost: It changed, was deleted, or is named by something.
        """
        write = Transaction()
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        write.delete("credential", item, (CredentialItem.revision == credential.revision) & (CredentialItem.uses == 0))
        if credential.provider:
            pointer = ProviderKeyItem(pk=keys.provider_keys(tenant), sk=credential.provider)
            write.delete("provider", pointer, ProviderKeyItem.credential_id == credential.id)
        write.commit()

    def reseal(self, tenant: str, credential: Credential, *, sealed: bytes, tokens: bytes, key_id: str) -> None:
        """Put envelopes of another key in the place of those that were read.

        Raises:
            RaceLost: Something changed meanwhile.
        """
        item = CredentialItem(pk=keys.credentials(tenant), sk=credential.id)
        actions: list[Action] = [CredentialItem.sealed.set(sealed), CredentialItem.key_id.set(key_id)]
        if tokens:
            actions.append(CredentialItem.tokens.set(tokens))
        unchanged = (CredentialItem.revision == credential.revision) & (
            CredentialItem.tokens_version == credential.tokens.version
        )
        retrying(lambda: item.update(actions=actions, condition=unchanged))

    def provider_key(self, tenant: str, provider: str) -> Credential | None:
        """The tenant's own key of a provider. Two reads where there is one, else one."""
        pointer = get_item(ProviderKeyItem, keys.provider_keys(tenant), provider)
        return self.get(tenant, pointer.credential_id) if pointer else None

    def kinds(self, tenant: str, ids: Iterable[str]) -> dict[str, CredentialKind]:
        """Which of these credentials there are, and of what kind. One batch read for a hundred."""
        names = [(keys.credentials(tenant), one) for one in ids]
        shown = ["pk", "sk", "kind", "type"]
        found: dict[str, CredentialKind] = {}
        with translated():
            for start in range(0, len(names), 100):
                batch = names[start : start + 100]
                for item in CredentialItem.batch_get(batch, consistent_read=True, attributes_to_get=shown):
                    found[item.sk] = cast(CredentialKind, item.type)
        return found


def credential_of(item: CredentialItem) -> Credential:
    """The value of an item."""
    tokens = Tokens(
        version=int(item.tokens_version or 0),
        sealed=bytes(item.tokens) if present(item.tokens) else b"",
        obtained_at=int(item.tokens_at or 0),
        expires_at=int(item.tokens_end_at or 0),
        lease_until=int(item.lease_until or 0),
        renewed_for_refusal_at=int(item.renewed_for_refusal_at or 0),
    )
    return Credential(
        id=item.sk,
        kind=cast(CredentialKind, item.type),
        name=item.name,
        settings=item.settings,
        allowed_hosts=tuple(item.allowed_hosts),
        sealed=bytes(item.sealed),
        key_id=item.key_id,
        status=cast(Status, item.status),
        revision=int(item.revision),
        created_at=int(item.created_at),
        created_by=item.created_by,
        updated_at=int(item.updated_at),
        failure=item.failure or "",
        uses=int(item.uses or 0),
        tokens=tokens,
        consent_at=int(item.consent_at or 0),
        consent_failure=item.consent_failure or "",
    )


def _item(tenant: str, credential: Credential) -> CredentialItem:
    return CredentialItem(
        pk=keys.credentials(tenant),
        sk=credential.id,
        type=credential.kind,
        name=credential.name,
        settings=dict(credential.settings),
        allowed_hosts=list(credential.allowed_hosts),
        sealed=credential.sealed,
        key_id=credential.key_id,
        status=credential.status,
        failure=credential.failure,
        revision=credential.revision,
        created_at=credential.created_at,
        created_by=credential.created_by,
        updated_at=credential.updated_at,
    )
