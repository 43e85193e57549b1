"use client";

import { ArrowLeft, Sprout } from "lucide-react";
import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { EmptyState, Section, Skeleton } from "@/components/ui/surface";
import { Ago } from "@/components/ui/time";
import type { Schemas } from "@/lib/api";
import { cn } from "@/lib/cn";
import { useMay } from "@/lib/me";
import { guarded } from "@/components/ui/guarded";

import { Differences } from "./differences";
import type { AgentOut } from "./values";

const RestoreVersion = guarded(dynamic(() => import("./restore-version").then((module) => module.RestoreVersion), { ssr: false }));

type Version = Schemas["AgentVersionOut"];

interface Props {
  agent: AgentOut;
  etag: string | null;
  version: Version;
  /** What it is compared with; null for the first version, which has none before it. */
  against: Version | null;
  /** Compared with the agent as it is now, not with the version before. */
  current: boolean;
  onAgainst: (current: boolean) => void;
  onBack: () => void;
}

/** What differs between two versions, and the way back to the older one. */
export function VersionCompare({ agent, etag, version, against, current, onAgainst, onBack }: Props) {
  const t = useTranslations("agents.versions");
  const may = useMay("edit");
  const [restoring, setRestoring] = useState(false);
  const isCurrent = version.version === agent.version;
  // Compared with now, this version is what was before.
  const [before, after] = current && against ? [version, against] : [against, version];
  return (
    <div className="flex flex-col gap-6">
      <header className="flex flex-col gap-3">
        <Button kind="ghost" size="sm" icon={<ArrowLeft aria-hidden />} onClick={onBack} className="-ml-2.5 self-start lg:hidden">
          {t("back")}
        </Button>
        <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
          <div>
            <h2 className="text-[15px] font-semibold text-ink">
              {before ? t("heading", { after: after.version, before: before.version }) : t("number", { number: version.version })}
            </h2>
            <p className="mt-0.5 text-[13px] text-ink-soft">
              <Ago time={version.created_at} /> · {t("by", { who: version.created_by })}
            </p>
          </div>
          {isCurrent || !may ? null : (
            <Button onClick={() => setRestoring(true)}>{t("restoreConfirm", { number: version.version })}</Button>
          )}
        </div>
        {isCurrent || version.version === 1 ? null : (
          <div role="group" aria-label={t("compare")} className="flex flex-wrap items-center gap-2 text-[13px] text-ink-soft">
            {t("compare")}
            <span className="flex gap-0.5 rounded-lg border border-line bg-sunken p-0.5">
              {[false, true].map((one) => (
                <button
                  key={String(one)}
                  type="button"
                  aria-pressed={one === current}
                  onClick={() => onAgainst(one)}
                  className={cn("h-7 rounded-md px-2.5 transition-colors pointer-coarse:h-9", one === current ? "bg-surface font-medium text-ink shadow-low" : "hover:text-ink")}
                >
                  {one ? t("withCurrent") : t("previous")}
                </button>
              ))}
            </span>
          </div>
        )}
      </header>
      {before ? <Differences before={before} after={after} /> : <First version={version} onAgainst={isCurrent ? null : () => onAgainst(true)} />}
      {restoring ? <RestoreVersion agent={agent} etag={etag} version={version} onClose={() => setRestoring(false)} onDone={onBack} /> : null}
    </div>
  );
}

function First({ version, onAgainst }: { version: Version; onAgainst: (() => void) | null }) {
  const t = useTranslations("agents.versions");
  return (
    <>
      <EmptyState icon={<Sprout />} title={t("first")} actions={onAgainst ? <Button onClick={onAgainst}>{`${t("compare")}: ${t("withCurrent")}`}</Button> : null}>
        {t("firstText")}
      </EmptyState>
      {version.system_prompt ? (
        <Section title={t("instructions")}>
          <div className="rounded-lg border border-line bg-surface px-4 py-3 text-sm leading-relaxed break-words whitespace-pre-wrap text-ink-soft">{version.system_prompt}</div>
        </Section>
      ) : null}
    </>
  );
}

export function CompareSkeleton() {
  return (
    <div className="flex flex-col gap-4">
      <Skeleton className="h-5 w-72 max-w-full" />
      <Skeleton className="h-4 w-40" />
      <Skeleton className="mt-4 h-48 w-full rounded-lg" />
    </div>
  );
}
