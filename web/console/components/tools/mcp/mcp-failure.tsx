"use client";

import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { useErrorText } from "@/components/ui/error-state";
import { Notice } from "@/components/ui/surface";
import { asApiError } from "@/lib/errors";

const HINTS = ["outbound_failed", "outbound_refused", "mcp_list_too_large", "needs_reconnect", "not_connected", "credential_not_found"] as const;

interface Props {
  error: unknown;
  busy: boolean;
  onRetry: () => void;
  onEdit?: () => void;
}

/** The server could not be asked: why, what to look at, and the ways on. */
export function McpFailure({ error, busy, onRetry, onEdit }: Props) {
  const t = useTranslations("tools.mcp.failure");
  const common = useTranslations("common.errors");
  const words = useErrorText();
  const { code, requestId } = asApiError(error);
  const hint = HINTS.find((one) => one === code);
  return (
    <Notice tone="bad" role="alert">
      <p className="font-medium break-words">{words(error)}</p>
      {hint ? <p className="mt-1 max-w-prose text-ink-soft">{t(hint)}</p> : null}
      <span className="mt-3 flex flex-wrap gap-2">
        <Button size="sm" busy={busy} onClick={onRetry}>
          {common("retry")}
        </Button>
        {onEdit ? (
          <Button size="sm" onClick={onEdit}>
            {t("edit")}
          </Button>
        ) : null}
      </span>
      {requestId ? (
        <p className="mt-2 flex items-center gap-1 text-xs text-ink-soft">
          {common("requestId")} <code className="font-mono">{requestId}</code>
          <CopyButton text={requestId} className="size-6" />
        </p>
      ) : null}
    </Notice>
  );
}
