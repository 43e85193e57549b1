"use client";

import { RotateCcw } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Badge, Card, Skeleton } from "@/components/ui/surface";
import { Ago } from "@/components/ui/time";
import type { Schemas } from "@/lib/api";
import { cn } from "@/lib/cn";
import type { usePages } from "@/lib/data";

import { summaryOf } from "./version-diff";

type Version = Schemas["AgentVersionOut"];

interface Props {
  list: ReturnType<typeof usePages<Version>>;
  /** The number of the one that is shown, and of the agent's own. */
  shown: number;
  current: number;
  onPick: (version: number) => void;
}

export function VersionList({ list, shown, current, onPick }: Props) {
  const t = useTranslations("agents.versions");
  const common = useTranslations("common.actions");
  const { items } = list;
  return (
    <>
      <Card className="overflow-hidden lg:max-h-[70vh] lg:overflow-y-auto">
        <ol aria-label={t("list")} className="divide-y divide-line">
          {items?.map((version, index) => (
            <li key={version.version}>
              <button
                type="button"
                aria-current={version.version === shown ? "true" : undefined}
                onClick={() => onPick(version.version)}
                className={cn(
                  "relative flex w-full flex-col gap-0.5 px-4 py-3 text-left transition-colors focus-visible:-outline-offset-2",
                  version.version === shown ? "lg:bg-accent-soft/50 lg:before:absolute lg:before:inset-y-0 lg:before:left-0 lg:before:w-0.5 lg:before:bg-accent" : "hover:bg-hover",
                )}
              >
                <span className="flex items-center gap-2">
                  <span className="font-medium text-ink tabular-nums">{t("number", { number: version.version })}</span>
                  {version.version === current ? <Badge tone="accent">{t("current")}</Badge> : null}
                  <span className="ml-auto text-xs text-ink-faint">
                    <Ago time={version.created_at} />
                  </span>
                </span>
                <Note version={version} before={items[index + 1]} />
              </button>
            </li>
          )) ?? <Skeletons />}
        </ol>
      </Card>
      {list.more ? (
        <div className="mt-3 flex justify-center">
          <Button size="sm" busy={list.loadingMore} onClick={() => void list.loadMore()}>
            {common("loadMore")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

/** What a version changed, in a line. */
function Note({ version, before }: { version: Version; before: Version | undefined }) {
  const t = useTranslations("agents");
  if (version.restored_from !== null) {
    return (
      <span className="flex items-center gap-1.5 text-[13px] text-ink-soft">
        <RotateCcw aria-hidden className="size-3.5 text-ink-faint" />
        {t("versions.restored", { number: version.restored_from })}
      </span>
    );
  }
  if (version.version === 1) return <span className="text-[13px] text-ink-soft">{t("versions.created")}</span>;
  if (!before) return null;
  const fields = summaryOf(before, version).map((field) => t(`fields.${field}`));
  return <span className="line-clamp-2 text-[13px] text-ink-soft">{fields.length ? fields.join(", ") : t("versions.nothing")}</span>;
}

function Skeletons() {
  return Array.from({ length: 4 }, (_, index) => (
    <li key={index} className="flex flex-col gap-2 px-4 py-3.5">
      <Skeleton className="h-4 w-24" />
      <Skeleton className="h-3.5 w-40" />
    </li>
  ));
}
