import type { Tone } from "@/components/ui/surface";

import type { Credential } from "./draft";

export const STATE_TONES: Record<Credential["status"], Tone> = { ready: "good", not_connected: "warn", needs_reconnect: "bad" };

/** Whether a person's consent connects it; others are entered anew. */
export function byConsent(credential: Credential): boolean {
  return credential.kind === "oauth2" && credential.settings.grant === "authorization_code";
}

/** Where what uses a credential is found in the console. */
export function placeOf(use: { kind: string; id: string; agent_id: string | null }): { pathname: string; query?: Record<string, string> } {
  if (!use.agent_id) return { pathname: use.kind === "agent" ? "/agents/detail/" : "/settings/", ...(use.kind === "agent" ? { query: { id: use.id, tab: "settings" } } : {}) };
  if (use.kind === "tool") return { pathname: "/agents/detail/", query: { id: use.agent_id, tab: "tools", tool: use.id } };
  return { pathname: "/agents/detail/", query: { id: use.agent_id, tab: use.kind === "integration" ? "tools" : "settings" } };
}
