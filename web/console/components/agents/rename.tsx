"use client";

import { Check, Pencil, X } from "lucide-react";
import { useTranslations } from "next-intl";
import { useRef, useState, type FormEvent } from "react";

import { IconButton } from "@/components/ui/button";
import { useErrorText } from "@/components/ui/error-state";
import { Input } from "@/components/ui/field";
import { api, revised } from "@/lib/api";
import { useMay } from "@/lib/me";
import { toast } from "@/lib/toast";

import { useKeepAgent } from "./use-agents";
import type { AgentOut } from "./values";

/** An agent's name, which can be changed where it stands. */
export function Rename({ agent }: { agent: AgentOut }) {
  const t = useTranslations("agents.detail");
  const common = useTranslations("common.actions");
  const text = useErrorText();
  const keep = useKeepAgent();
  const may = useMay("edit");
  const [typed, setTyped] = useState<string | null>(null);
  /** What is being saved, shown at once. */
  const [coming, setComing] = useState<string | null>(null);
  const pencil = useRef<HTMLButtonElement>(null);

  const close = () => {
    setTyped(null);
    requestAnimationFrame(() => pencil.current?.focus());
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const name = typed?.trim();
    close();
    if (!name || name === agent.name) return;
    setComing(name);
    try {
      const { body, etag } = await revised(api.PATCH("/api/v1/agents/{agent_id}", { params: { path: { agent_id: agent.id } }, body: { name } }));
      await keep(body, etag);
    } catch (error) {
      toast.error(t("renameFailed"), { description: text(error) });
    }
    setComing(null);
  };

  if (typed !== null) {
    return (
      <form onSubmit={(event) => void save(event)} className="flex items-center gap-1" onKeyDown={(event) => event.key === "Escape" && close()}>
        <Input aria-label={t("name")} autoFocus value={typed} maxLength={100} onFocus={(event) => event.target.select()} onChange={(event) => setTyped(event.target.value)} className="w-80 max-w-full min-w-0 text-base font-semibold" />
        <IconButton type="submit" label={t("renameSave")}>
          <Check aria-hidden />
        </IconButton>
        <IconButton label={common("cancel")} onClick={close}>
          <X aria-hidden />
        </IconButton>
      </form>
    );
  }
  return (
    <span className="group flex min-w-0 items-center gap-1">
      <span className="truncate" title={coming ?? agent.name}>
        {coming ?? agent.name}
      </span>
      {may ? (
        <button
          ref={pencil}
          type="button"
          aria-label={t("rename")}
          title={t("rename")}
          onClick={() => setTyped(agent.name)}
          className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-ink-faint transition-colors hover:bg-hover hover:text-ink pointer-coarse:size-10 [&_svg]:size-3.5"
        >
          <Pencil aria-hidden />
        </button>
      ) : null}
    </span>
  );
}
