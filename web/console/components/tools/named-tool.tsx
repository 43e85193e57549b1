"use client";

import { useTranslations } from "next-intl";
import { useEffect } from "react";

import { PageBody } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Skeleton } from "@/components/ui/surface";

import type { Toolbox } from "./lib/toolbox";
import type { Go } from "./lib/view";

/** Leads to the tool that the model calls by this name. */
export function NamedTool({ name, toolbox, go }: { name: string; toolbox: Toolbox; go: Go }) {
  const t = useTranslations("tools.list");
  const id = toolbox.ready ? (toolbox.tools.find((tool) => tool.name === name)?.id ?? null) : undefined;
  useEffect(() => {
    if (id) go({ name: "tool", id }, { replace: true });
  }, [id, go]);
  return (
    <PageBody>
      {toolbox.error ? <ErrorState error={toolbox.error} onRetry={toolbox.retry} /> : null}
      {id === null ? (
        <EmptyState title={t("noneNamed", { name })} actions={<Button onClick={() => go({ name: "list" }, { replace: true })}>{t("all")}</Button>} />
      ) : (
        <Skeleton className="h-96 w-full rounded-xl" />
      )}
    </PageBody>
  );
}
