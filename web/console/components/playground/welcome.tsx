"use client";

import { MessagesSquare } from "lucide-react";
import { useTranslations } from "next-intl";

import type { Schemas } from "@/lib/api";

import { useActions } from "./actions";

const COMMANDS = ['/tool calculator {"expression": "(3 + 4) * 1.5"}', "/think Step by step.\n/slow 40\n/long 60", "/error rate_limit 1\n/say It worked at the second attempt."];

/** A conversation that has not begun: who is there, and what could be asked. */
export function Welcome({ agent, onSay }: { agent: Schemas["AgentOut"]; onSay: (text: string) => void }) {
  const t = useTranslations("playground.welcome");
  const { may } = useActions();
  const { builtin_tools: tools = [], model_config: model } = agent;
  const prompts =
    model.provider === "scripted"
      ? COMMANDS
      : [t("prompts.help"), ...(tools.includes("current_time") ? [t("prompts.time")] : []), ...(tools.includes("calculator") ? [t("prompts.sum")] : []), t("prompts.table")];
  return (
    <div className="my-auto flex flex-col items-center py-6 text-center">
      <span aria-hidden className="mb-4 flex size-11 items-center justify-center rounded-xl bg-accent-soft text-accent-ink">
        <MessagesSquare className="size-5" />
      </span>
      <h2 className="text-lg font-semibold text-ink">{may ? t("title", { name: agent.name }) : agent.name}</h2>
      <p className="mt-1.5 max-w-md text-sm text-ink-soft">{agent.description || (may ? t("hint") : "")}</p>
      {may ? <ul aria-label={t("suggestions")} className="mt-6 grid w-full max-w-xl gap-2 sm:grid-cols-2">
        {prompts.slice(0, 4).map((prompt) => (
          <li key={prompt}>
            <button
              type="button"
              onClick={() => onSay(prompt)}
              className="flex h-full min-h-11 w-full items-start rounded-xl border border-line bg-surface px-3.5 py-2.5 text-left text-sm break-words whitespace-pre-line text-ink-soft shadow-low transition-colors hover:border-line-strong hover:text-ink"
            >
              {prompt}
            </button>
          </li>
        ))}
      </ul> : null}
    </div>
  );
}
