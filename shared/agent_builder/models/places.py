"""Where a sealed secret belongs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["secret", "token", "consent"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an envelope belongs.

    Attributes:
        tenant: The tenant.
        credential: Id of the credential.
        purpose: `secret`: what somebody entered; `token`: what an authorization server gave out for it; `consent`: what
            a person who is just giving consent must bring back.
    """

    tenant: str
    credential: str
    purpose: Purpose

    @property
    def context(self) -> dict[str, str]:
        """As KMS sees it: in clear, in policies and in its log."""
        return {"tenant": self.tenant, "credential": self.credential, "purpose": self.purpose}
