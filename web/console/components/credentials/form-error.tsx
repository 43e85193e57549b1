"use client";

import { useErrorText } from "@/components/ui/error-state";
import { CopyButton } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/surface";
import { cn } from "@/lib/cn";
import { asApiError } from "@/lib/errors";
import { useTranslations } from "next-intl";
import { useEffect, useRef } from "react";

/** Why a form was not saved: in one place all that is wrong, beside what stands at each field. */
export function FormError({ error, className }: { error: unknown; className?: string }) {
  const t = useTranslations("common.errors");
  const own = useTranslations("tools");
  const words = useErrorText();
  const place = useRef<HTMLDivElement>(null);
  // What was pressed may be far below: an error out of sight is none.
  useEffect(() => {
    if (error) place.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  if (!error) return null;
  const { fields, requestId } = asApiError(error);
  return (
    <Notice ref={place} tone="bad" role="alert" className={cn("scroll-mt-28 scroll-mb-4", className)}>
      <p>{fields.length ? own("formFaults") : words(error)}</p>
      {fields.length ? (
        <ul className="mt-1 list-disc space-y-0.5 pl-5 text-[13px] break-words">
          {fields.slice(0, 12).map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              {field ? <code className="font-mono">{field}</code> : null}
              {field ? ": " : ""}
              {message}
            </li>
          ))}
        </ul>
      ) : null}
      {requestId ? (
        <p className="mt-1 flex items-center gap-1 text-xs text-ink-soft">
          {t("requestId")} <code className="font-mono">{requestId}</code>
          <CopyButton text={requestId} className="size-6" />
        </p>
      ) : null}
    </Notice>
  );
}
