"use client";

import { ShieldCheck, ShieldQuestion, ShieldX } from "lucide-react";
import { useTranslations } from "next-intl";

import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

import { JsonView } from "./json-view";

const ICONS = { waiting: ShieldQuestion, approved: ShieldCheck, denied: ShieldX, expired: ShieldX, cancelled: ShieldX };
const INK = { waiting: "text-warn", approved: "text-good", denied: "text-bad", expired: "text-ink-soft", cancelled: "text-ink-soft" };

/** What a person decided about a call: who, when, and with which words. */
export function ApprovalNote({ approval }: { approval: Schemas["ApprovalOut"] }) {
  const t = useTranslations("traces.approval");
  const formats = useFormats();
  const Icon = ICONS[approval.status];
  return (
    <section aria-label={t("title")} className="flex flex-col gap-2 rounded-lg border border-line px-3.5 py-3 text-[13px]">
      <p className="flex items-center gap-2 font-medium text-ink">
        <Icon aria-hidden className={`size-4 ${INK[approval.status]}`} />
        {t(approval.status, { who: approval.decided_by ?? t("somebody") })}
      </p>
      <p className="text-ink-soft">
        {t("asked", { time: formats.exact(approval.requested_at) })}
        {approval.decided_at ? ` · ${t("decided", { time: formats.exact(approval.decided_at) })}` : ""}
        {approval.status === "waiting" ? ` · ${t("until", { time: formats.exact(approval.expires_at) })}` : ""}
      </p>
      {approval.reason ? <p className="break-words text-ink">{t("reason", { reason: approval.reason })}</p> : null}
      {approval.edited_input ? <JsonView label={t("edited")} value={approval.edited_input} /> : null}
    </section>
  );
}
