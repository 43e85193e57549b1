"use client";

import { Calculator, Clock } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { useErrorText } from "@/components/ui/error-state";
import { Card, Section } from "@/components/ui/surface";
import { api } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { asApiError } from "@/lib/errors";
import { useMay } from "@/lib/me";

import { BUILTIN_TOOLS } from "./lib/names";
import type { AgentOut } from "./lib/toolbox";

const ICONS = { current_time: Clock, calculator: Calculator };

/** Tools that need neither network nor credential. */
export function BuiltinTools({ agent, etag }: { agent: AgentOut; etag: string | null }) {
  const t = useTranslations("tools.builtin");
  const words = useErrorText();
  const refresh = useRefresh();
  const may = useMay("edit");
  const [pending, setPending] = useState<readonly string[] | null>(null);
  const chosen = pending ?? agent.builtin_tools;
  const toggle = async (name: (typeof BUILTIN_TOOLS)[number]) => {
    const next = BUILTIN_TOOLS.filter((one) => chosen.includes(one) !== (one === name));
    setPending(next);
    try {
      await api.PATCH("/api/v1/agents/{agent_id}", { params: { path: { agent_id: agent.id } }, body: { builtin_tools: next }, ...(etag ? { headers: { "If-Match": etag } } : {}) });
    } catch (error) {
      toast.error(asApiError(error).status === 412 ? t("conflict") : words(error));
    }
    await refresh(`/agents/${agent.id}`);
    setPending(null);
  };
  return (
    <Section title={t("title")} hint={t("hint")}>
      <Card>
        <ul className="divide-y divide-line">
          {BUILTIN_TOOLS.map((name) => {
            const Icon = ICONS[name];
            return (
              <li key={name} className="flex items-center gap-3 px-4 py-3">
                <span className="flex size-8 shrink-0 items-center justify-center rounded-lg bg-hover text-ink-soft">
                  <Icon aria-hidden className="size-4" />
                </span>
                <label htmlFor={`builtin-${name}`} className="min-w-0 flex-1">
                  <span className="block font-mono text-[13px] font-medium">{name}</span>
                  <span className="block text-[13px] text-ink-soft">{t(name)}</span>
                </label>
                <input id={`builtin-${name}`} type="checkbox" checked={chosen.includes(name)} disabled={pending !== null || !may} onChange={() => void toggle(name)} className="size-4 accent-accent" />
              </li>
            );
          })}
        </ul>
      </Card>
    </Section>
  );
}
