"""Every key of the table. A partition key begins with its tenant, so one tenant's keys never meet another's."""

from __future__ import annotations

import hashlib
import re

_TENANT = re.compile(r"[A-Za-z0-9_.:@-]{1,128}")

HEAD = "HEAD"
LEASE = "LEASE"
DUE_SHARDS = 16


def _tenant(tenant: str) -> str:
    if not _TENANT.fullmatch(tenant):
        raise ValueError("not a tenant id")
    return f"T#{tenant}"


def agents(tenant: str) -> str:
    """All agents of the tenant; sort key: agent id."""
    return f"{_tenant(tenant)}#AGENTS"


def agent(tenant: str, agent_id: str) -> str:
    """What belongs to one agent; sort keys: `version(n)`, `part(…)`, `accepted(…)`."""
    return f"{_tenant(tenant)}#AGENT#{agent_id}"


def version(number: int) -> str:
    """Sort key of an agent's version."""
    return f"V#{number:010d}"


def part(part_id: str, revision: int, stamp: str = "") -> str:
    """Sort key, in its agent's partition, of a tool or integration as a version of the agent brought it."""
    return f"PART#{part_id}#{revision:010d}" + (f"#{stamp}" if stamp else "")


def part_owner(tenant: str, part_id: str) -> str:
    """Which agent a tool or an integration belongs to; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#PART#{part_id}"


def tool_answer(digest: str) -> str:
    """Sort key, in its agent's partition, of an answer of a tool that is used again."""
    return f"ANSWER#{digest}"


def agent_parts(tenant: str, agent_id: str) -> str:
    """Index partition of an agent's `part_owner`s."""
    return f"{agent(tenant, agent_id)}#PARTS"


def agent_conversations(tenant: str, agent_id: str) -> str:
    """Index partition of an agent's conversations; sort key: conversation id."""
    return f"{agent(tenant, agent_id)}#CONVERSATIONS"


def agent_runs(tenant: str, agent_id: str) -> str:
    """Index partition of an agent's runs; sort key: run id."""
    return f"{agent(tenant, agent_id)}#RUNS"


def conversation(tenant: str, conversation_id: str) -> str:
    """One conversation; sort keys: `HEAD`, `LEASE`, `message(run, n)`."""
    return f"{_tenant(tenant)}#CONVERSATION#{conversation_id}"


def message(run_id: str, role: str) -> str:
    """Sort key of a message: a run's question stands before its answer, and runs in the order of acceptance."""
    return f"M#{run_id}#{0 if role == 'user' else 1}"


def run(tenant: str, run_id: str) -> str:
    """One run; sort keys: `HEAD`, `step(n)`, `approval(n)`."""
    return f"{_tenant(tenant)}#RUN#{run_id}"


def step(number: int) -> str:
    """Sort key of a run's step."""
    return f"S#{number:06d}"


def approval(number: int) -> str:
    """Sort key, in its run's partition, of whether the call of a step may be made."""
    return f"A#{number:06d}"


def piece(number: int) -> str:
    """Sort key, in its run's partition, of a piece of an answer that one item does not hold."""
    return f"P#{number:03d}"


def step_piece(step_number: int, number: int) -> str:
    """Sort key of a piece of a step that one item does not hold; it stands right behind its step."""
    return f"{step(step_number)}#{number:03d}"


def connection(tenant: str, connection_id: str) -> str:
    """One open WebSocket; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#CONNECTION#{connection_id}"


def accepted(subject: str, client_message_id: str) -> str:
    """Sort key, in its agent's partition, of where a client's own message id is remembered."""
    return f"ACCEPTED#{_digest(subject, client_message_id)}"


def idempotency(tenant: str, subject: str, route: str, key: str) -> str:
    """Where the answer to an `Idempotency-Key` is remembered; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#IDEMPOTENCY#{_digest(subject, route, key)}"


def agent_answers(tenant: str, agent_id: str) -> str:
    """Index partition of remembered answers that show an agent; sort key: `HEAD`."""
    return f"{agent(tenant, agent_id)}#ANSWERS"


def api_keys(tenant: str) -> str:
    """The tenant's API keys; sort key: hash of the key."""
    return f"{_tenant(tenant)}#APIKEYS"


def api_key_records(tenant: str) -> str:
    """What people see of the tenant's API keys; sort key: id of the key."""
    return f"{_tenant(tenant)}#APIKEYRECORDS"


def members(tenant: str) -> str:
    """The tenant's members; sort key: subject."""
    return f"{_tenant(tenant)}#MEMBERS"


def owners(tenant: str) -> str:
    """How many owners the tenant has; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#OWNERS"


def invitations(tenant: str) -> str:
    """Open invitations into the tenant; sort key: hash of the token."""
    return f"{_tenant(tenant)}#INVITATIONS"


def invitation_records(tenant: str) -> str:
    """What people see of open invitations; sort key: id of the invitation."""
    return f"{_tenant(tenant)}#INVITATIONRECORDS"


def home(tenant: str) -> str:
    """Where the person whose own tenant this is works instead; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#HOME"


def ticket(tenant: str, ticket_hash: str) -> str:
    """One ticket for a WebSocket; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#TICKET#{ticket_hash}"


def subject_entries(tenant: str, subject: str) -> str:
    """Index partition of a subject's open connections and tickets; sort keys: `CONNECTION#<id>`, `TICKET#<hash>`."""
    return f"{_tenant(tenant)}#ENTRIES#{_digest(subject)}"


def audit(tenant: str) -> str:
    """Who changed what in the tenant; sort key: id of the entry."""
    return f"{_tenant(tenant)}#AUDIT"


def limits(tenant: str) -> str:
    """The tenant's own limits; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#LIMITS"


def tenant_gate(tenant: str) -> str:
    """What the tenant uses now; sort keys: `HEAD` (messages and runs), `REQUESTS`, `CONNECTIONS`, `APIKEYS`."""
    return f"{_tenant(tenant)}#GATE"


def counter(kind: str, name: str) -> str:
    """Name of somebody's counter in a gate."""
    return f"{kind}_{_digest(name)[:24]}"


def credentials(tenant: str) -> str:
    """The tenant's credentials; sort key: id."""
    return f"{_tenant(tenant)}#CREDENTIALS"


def credential_uses(tenant: str, credential_id: str) -> str:
    """What names a credential; sort key: id of the agent whose tools and integrations do."""
    return f"{_tenant(tenant)}#CREDENTIAL#{credential_id}#USES"


def agent_uses(tenant: str, agent_id: str) -> str:
    """Index partition of the credentials that an agent's tools and integrations name; sort key: credential id."""
    return f"{agent(tenant, agent_id)}#USES"


def provider_keys(tenant: str) -> str:
    """Which credential is the tenant's own key of a provider; sort key: the provider."""
    return f"{_tenant(tenant)}#PROVIDERKEYS"


def consent(tenant: str, state_hash: str) -> str:
    """A person on the way to an authorization server and back; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#CONSENT#{state_hash}"


def egress(tenant: str) -> str:
    """What the tenant's tools may call; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#EGRESS"


def refusals(tenant: str) -> str:
    """Calls of the tenant's tools that were refused; sort key: id."""
    return f"{_tenant(tenant)}#REFUSALS"


def usage_notes(tenant: str) -> str:
    """What ended runs used and no aggregate has yet; sort key: run id."""
    return f"{_tenant(tenant)}#USAGENOTES"


def usage(tenant: str, scope: str, dimension: str) -> str:
    """What was used, by day, of one agent (`scope`) or all; sort key: `<day>#<shard>#<name>`."""
    return f"{_tenant(tenant)}#USAGE#{scope or '*'}#{dimension}"


def trace_marks(tenant: str) -> str:
    """Ended runs whose traces are still to be sent; sort key: run id."""
    return f"{_tenant(tenant)}#TRACEMARKS"


def tracing(tenant: str) -> str:
    """Where the tenant's traces go; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#TRACING"


def prices(tenant: str) -> str:
    """The tenant's own prices of models; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#PRICES"


def budgets(tenant: str) -> str:
    """What a tenant may use."""
    return f"{_tenant(tenant)}#BUDGETS"


def spending(tenant: str, scope: str) -> str:
    """What was used of budgets, by their periods: an agent's, or the tenant's."""
    return f"{_tenant(tenant)}#SPENDING#{scope or '*'}"


def openapi_import(tenant: str, import_id: str) -> str:
    """One import of a description; sort keys: `HEAD`, `document_piece(n)`, `preview_piece(…)`."""
    return f"{_tenant(tenant)}#OPENAPIIMPORT#{import_id}"


def document_piece(number: int) -> str:
    """Sort key, in its import's partition, of a piece of a description that was given."""
    return f"D#{number:03d}"


def preview_piece(attempt: int, number: int) -> str:
    """Sort key, in its import's partition, of some operations as an attempt has read them."""
    return f"P#{attempt:03d}#{number:04d}"


def agent_imports(tenant: str, agent_id: str) -> str:
    """Index partition of an agent's imports; sort key: import id."""
    return f"{agent(tenant, agent_id)}#IMPORTS"


def open_imports(tenant: str) -> str:
    """Which imports of the tenant are not over yet; sort key: `HEAD`."""
    return f"{_tenant(tenant)}#OPENIMPORTS"


def purges(tenant: str) -> str:
    """Deletions that are still to be carried out; sort key: id of what is deleted."""
    return f"{_tenant(tenant)}#PURGES"


PLATFORM_TENANT = "platform.internal"


def provider_status() -> str:
    """What the runner last saw of the platform's provider keys; sort key: `HEAD`. Holds names, never a key."""
    return f"{_tenant(PLATFORM_TENANT)}#PROVIDERS"


def due(partition: str) -> str:
    """Index partition of due work, spread over shards by the item's own partition."""
    shard = int.from_bytes(hashlib.sha256(partition.encode()).digest()[:4], "big") % DUE_SHARDS
    return f"DUE#{shard}"


def tenant_of(partition: str) -> str:
    """The tenant of a partition key."""
    return partition.split("#", 2)[1]


def id_of(partition: str) -> str:
    """The id that ends a partition key, as of a conversation or a run."""
    return partition.rsplit("#", 1)[1]


def _digest(*parts: str) -> str:
    joined = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:40]
