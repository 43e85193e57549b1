"""People who are giving their consent to OAuth."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Consent:
    """A person on the way to an authorization server and back. Stored under the hash of its `state`.

    Attributes:
        revision: Of the credential when they left.
        sealed: Envelope of PKCE's verifier and the address to come back to.
        code: Envelope of the code they came back with; empty before.
        expires_at: Seconds since the epoch.
    """

    tenant: str
    hash: str
    credential_id: str
    revision: int
    sealed: bytes = field(repr=False)
    expires_at: int
    subject: str
    code: bytes = field(default=b"", repr=False)
