"""Where a tenant's traces go, as its administrators set it."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import Conflict, Fault, NotFound, RaceLost, Unprocessable
from agent_builder.ids import is_id
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.models.tracing import TenantTracing, TracingSettings
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.tracing import TracingRepository

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class TracingService:
    """The tracing of the caller's tenant. Changes are in force within a minute, for runs that end from then on."""

    repository: TracingRepository
    credentials: CredentialRepository
    clock: Clock = now_ms

    def get(self, identity: Identity) -> Json:
        """What is set, and why traces do not arrive, if they do not.

        Raises:
            NotFound: Nothing is.
        """
        return _view(self._current(identity))

    def replace(self, identity: Identity, settings: TracingSettings) -> Json:
        """Send the traces of runs there from now on.

        Raises:
            Unprocessable: There is no such credential, or it is of another kind.
        """
        self._check(identity, settings.credential_id)
        for _ in range(_ATTEMPTS):
            before = self.repository.get(identity.tenant)
            try:
                return _view(self.repository.save(identity.tenant, settings, before, now=self.clock()))
            except RaceLost:
                self._check(identity, settings.credential_id)
        raise Conflict("The tracing is changed by many at this moment; try again.")

    def delete(self, identity: Identity) -> None:
        """Send no more traces. What was still to be sent is forgotten.

        Raises:
            NotFound: Nothing is set.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self.repository.delete(identity.tenant, self._current(identity))
            except RaceLost:
                continue
        raise Conflict("The tracing is changed by many at this moment; try again.")

    def _current(self, identity: Identity) -> TenantTracing:
        found = self.repository.get(identity.tenant)
        if found is None:
            raise NotFound("No traces are sent; PUT says where they go.")
        return found

    def _check(self, identity: Identity, credential_id: str) -> None:
        found = self.credentials.get(identity.tenant, credential_id) if is_id("crd", credential_id) else None
        if found is None:
            raise _unusable("There is no credential with this id.")
        if found.kind != "basic":
            told = f"This credential is of the kind {found.kind}; Langfuse needs one of the kind basic."
            raise _unusable(f"{told} Its user name is the public key, its password the secret key.")


def _unusable(text: str) -> Unprocessable:
    return Unprocessable("This credential cannot be used.", faults=(Fault("/credential_id", text),))


def _view(tracing: TenantTracing) -> Json:
    failure = {"code": tracing.failure, "at": rfc3339(tracing.failed_at)} if tracing.failure else None
    return {**tracing.settings.model_dump(), "updated_at": rfc3339(tracing.updated_at), "last_failure": failure}
