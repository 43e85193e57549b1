"use client";

import { KeyRound, Plus } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Section, Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { usePages } from "@/lib/data";

import { KeyDialog } from "./key-dialog";
import { KeyRow } from "./key-row";
import { OwnerOnly } from "./owner-only";
import { Rows } from "./rows";
import { useMe } from "@/lib/me";

/** Keys for programs that use the API. */
export function KeysPanel() {
  const t = useTranslations("settings.keys");
  const { me, may } = useMe();
  const [making, setMaking] = useState(false);
  const make = (
    <Button kind="primary" icon={<Plus aria-hidden />} onClick={() => setMaking(true)}>
      {t("create")}
    </Button>
  );
  return (
    <Section title={t("title")} hint={t("hint")} actions={me && may("admin") ? make : null}>
      <OwnerOnly>
        <Keys />
      </OwnerOnly>
      {making && me ? <KeyDialog scopes={me.permissions} onClose={() => setMaking(false)} /> : null}
    </Section>
  );
}

function Keys() {
  const t = useTranslations("settings.keys");
  const common = useTranslations("common.actions");
  const { items, error, more, loadMore, loadingMore, mutate } = usePages<Schemas["ApiKeyOut"]>("/api-keys");
  if (error && !items) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!items) return <Skeleton className="h-32 w-full rounded-xl" />;
  if (!items.length) {
    return (
      <EmptyState icon={<KeyRound />} title={t("empty")}>
        {t("emptyHint")}
      </EmptyState>
    );
  }
  return (
    <>
      <Rows label={t("title")}>
        {items.map((key) => (
          <KeyRow key={key.id} apiKey={key} />
        ))}
      </Rows>
      {more ? (
        <Button className="self-center" busy={loadingMore} onClick={() => void loadMore()}>
          {common("loadMore")}
        </Button>
      ) : null}
    </>
  );
}
