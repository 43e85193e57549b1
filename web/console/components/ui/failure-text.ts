// What the API's stable codes mean, in the reader's language. Its own details are English.

import { useLocale, useTranslations } from "next-intl";
import { useCallback } from "react";

import type common from "@/messages/en/common.json";
import { routing } from "@/i18n/routing";

type Code = keyof typeof common.codes;

export interface Failure {
  readonly code: string | null;
  readonly detail: string | null;
}

/** Codes that say it all: of these the detail is not told beside its translation. */
const CLEAR: ReadonlySet<string> = new Set<Code>([
  "agent_inactive",
  "agent_not_found",
  "already_decided",
  "already_member",
  "answer_not_stored",
  "conversation_deleted",
  "conversation_not_found",
  "credential_not_found",
  "forbidden",
  "idempotency_mismatch",
  "integration_not_found",
  "internal_error",
  "invitation_not_found",
  "issuer_unavailable",
  "last_owner",
  "mcp_tool_changed",
  "no_consent_needed",
  "not_an_mcp_server",
  "not_connected",
  "not_found",
  "nothing_to_cancel",
  "nothing_to_decide",
  "own_tenant",
  "precondition_failed",
  "provider_broken_stream",
  "provider_context_too_long",
  "provider_key_exists",
  "provider_overloaded",
  "provider_rate_limit",
  "provider_timeout",
  "provider_unavailable",
  "queue_full",
  "runner_lost",
  "runner_unavailable",
  "secret_unreadable",
  "secrets_unavailable",
  "store_unavailable",
  "token_expired",
  "unauthenticated",
]);

/** What a code means; null for one that is not known here. */
export function useCodeWords(): (code: string | null) => string | null {
  const t = useTranslations("common.codes");
  return useCallback((code) => (code !== null && t.has(code as Code) ? t(code as Code) : null), [t]);
}

/** Words for a failure: the API's own in English, elsewhere those of its code and what only the API can tell. */
export function useFailureText(): (failure: Failure) => string | null {
  const english = useLocale() === routing.defaultLocale;
  const t = useTranslations("common.errors");
  const meaning = useCodeWords();
  return useCallback(
    ({ code, detail }) => {
      const words = meaning(code);
      if (english || !words || !detail) return (english && detail) || words || detail || null;
      return CLEAR.has(code ?? "") ? words : t("withDetail", { words, detail });
    },
    [english, meaning, t],
  );
}
