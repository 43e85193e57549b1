"""Composition of what tools need: sealed secrets, credentials, guarded ways out, and a maker for each kind of tool."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from agent_builder import aws
from agent_builder.config import Settings
from agent_builder.metrics import OUTBOUND_REFUSED, RECONNECTS_NEEDED, SECRETS_UNAVAILABLE, Metrics

if TYPE_CHECKING:
    from agent_builder.crypto import Envelopes
    from agent_builder.services.authorization import Authorization
    from agent_builder.services.outbound import Outbound
    from agent_builder.services.toolbox import Toolbox


@cache
def metrics() -> Metrics:
    """What this environment counts; every handler writes it out at the end of an invocation."""
    return Metrics()


@cache
def envelopes() -> Envelopes:
    """What seals and opens secrets: made when the first comes, since that takes 0.4 s without a snapshot."""
    from agent_builder.crypto import Envelopes, master_keys

    def kms() -> Any:
        return aws.client("kms", connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3})

    keys = master_keys(Settings.from_environment().credentials_keys, kms)
    return Envelopes(keys, on_unavailable=lambda: metrics().add(SECRETS_UNAVAILABLE))


def authorization() -> Authorization:
    """What gives calls their credentials."""
    from agent_builder.repositories.credentials import CredentialRepository
    from agent_builder.repositories.grants import GrantRepository
    from agent_builder.services.authorization import Authorization
    from agent_builder.services.secrets import Secrets

    secrets = Secrets(CredentialRepository(), envelopes)
    return Authorization(
        CredentialRepository(),
        GrantRepository(),
        secrets,
        outbound().open,
        on_lost=lambda: metrics().add(RECONNECTS_NEEDED),
    )


def outbound() -> Outbound:
    """What opens ways out."""
    from agent_builder.providers.http import tls_context
    from agent_builder.repositories.egress import EgressRepository
    from agent_builder.services.outbound import Outbound

    return Outbound(
        EgressRepository(),
        tls_context,
        Settings.from_environment().loopback_tools,
        on_refused=lambda reason: metrics().add(OUTBOUND_REFUSED, reason=reason),
    )


def toolbox(authorization: Authorization) -> Toolbox:
    """What makes the tools of a run."""
    from agent_builder.repositories.parts import PartRepository
    from agent_builder.services.toolbox import Toolbox

    return Toolbox(PartRepository(), authorization.new_egress, makers={})
