"use client";

import { useTranslations } from "next-intl";

import { useErrorText } from "@/components/ui/error-state";
import { asApiError } from "@/lib/errors";

const CODES = ["own_tenant", "last_owner", "not_found"] as const;

/** Why somebody's membership stays as it is. */
export function MemberError({ error }: { error: unknown }) {
  const t = useTranslations("settings.members.refusals");
  const text = useErrorText();
  if (!error) return null;
  const known = CODES.find((code) => code === asApiError(error).code);
  return (
    <p role="alert" className="mt-1 text-[13px] text-bad">
      {known ? t(known) : text(error)}
    </p>
  );
}
