"""How a trace leaves: to the platform's server by a plain client, to a tenant's by the tenant's guarded way out."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.models.tracing import PlatformTracing, RunTrace, TenantTracing
from agent_builder.services.authorization import Authorization
from agent_builder.tools.egress import EgressLimits

_LIMITS = EgressLimits(seconds=2.0, wire_bytes=64 * 1024, body_bytes=256 * 1024)


def preload() -> None:
    """Import what makes traces, which takes a quarter of a second."""
    from agent_builder.tracing import langfuse

    langfuse.preload()


@dataclass(frozen=True, slots=True)
class TraceSending:
    """Sends bodies and answers the status of what came back; raises whatever goes wrong."""

    authorization: Authorization

    def body(self, trace: RunTrace, content: bool) -> bytes:
        """A trace as it is sent."""
        from agent_builder.tracing import langfuse

        return langfuse.body(trace, content=content)

    async def to_platform(self, platform: PlatformTracing, body: bytes) -> int:
        """To the address that the operator chose."""
        from agent_builder.providers import http
        from agent_builder.tracing import langfuse

        headers = [*langfuse.headers(), langfuse.authorization(platform.public_key, platform.secret_key)]
        url = platform.base_url + langfuse.PATH
        response = await http.client().post(url, content=body, headers=headers)
        return int(response.status_code)

    async def to_tenant(self, tenant: str, tracing: TenantTracing, body: bytes) -> int:
        """To the address that a tenant chose, as any call that a user can steer."""
        from agent_builder.tracing import langfuse

        async with await self.authorization.new_egress(tenant) as egress:
            answer, _ = await self.authorization.call(
                egress,
                tenant,
                tracing.settings.credential_id,
                method="POST",
                url=tracing.settings.base_url + langfuse.PATH,
                headers=langfuse.headers(),
                body=body,
                purpose="tracing",
                limits=_LIMITS,
            )
        return answer.status
