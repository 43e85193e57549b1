"use client";

import { useTranslations } from "next-intl";

import { asApiError } from "@/lib/errors";

import { Button } from "./button";
import { CopyButton } from "./copy-button";
import { useFailureText } from "./failure-text";
import { Notice } from "./surface";

/** Words for an error: the API's own, or ours where it has none. */
export function useErrorText(): (error: unknown) => string {
  const t = useTranslations("common.errors");
  const text = useFailureText();
  return (error) => {
    const { code, message, status } = asApiError(error);
    if (code === "network_error") return t("network");
    if (code === "unreadable_answer") return t("unreadable");
    if (status === 403) return t("forbidden");
    return text({ code, detail: message || null }) ?? t(status === 429 ? "rateLimited" : status >= 500 ? "server" : "unknown");
  };
}

/** Something could not be shown: why, the request's id, and the way to try again. */
export function ErrorState({ error, onRetry, className }: { error: unknown; onRetry?: (() => void) | undefined; className?: string }) {
  const t = useTranslations("common.errors");
  const text = useErrorText();
  const { requestId } = asApiError(error);
  return (
    <Notice
      tone="bad"
      role="alert"
      className={className ?? ""}
      actions={
        onRetry ? (
          <Button size="sm" onClick={onRetry}>
            {t("retry")}
          </Button>
        ) : null
      }
    >
      <p>{text(error)}</p>
      {requestId ? (
        <p className="mt-1 flex items-center gap-1 text-xs text-ink-soft">
          {t("requestId")} <code className="font-mono">{requestId}</code>
          <CopyButton text={requestId} className="size-6" />
        </p>
      ) : null}
    </Notice>
  );
}
