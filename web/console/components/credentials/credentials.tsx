"use client";

import { KeyRound, Plus, Search } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { PageBody, PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Input } from "@/components/ui/field";
import { EmptyState } from "@/components/ui/surface";
import { Locked } from "@/components/ui/locked";
import { useAllPages } from "@/lib/all-pages";
import { useMay } from "@/lib/me";

import { CredentialDialog } from "./credential-dialog";
import { CredentialList } from "./credential-list";
import type { Credential } from "./lib/draft";

/** All credentials of the workspace. */
export function Credentials() {
  const titles = useTranslations("common.titles");
  const t = useTranslations("tools.credentials");
  const { items, error, mutate } = useAllPages<Credential>("/credentials");
  const may = useMay("edit");
  const [adding, setAdding] = useState(false);
  const [wanted, setWanted] = useState("");
  const shown = items?.filter(({ name, kind, allowed_hosts: hosts }) => `${name} ${t(`kinds.${kind}.name`)} ${hosts.join(" ")}`.toLowerCase().includes(wanted.trim().toLowerCase()));
  const add = may ? (
    <Button kind="primary" icon={<Plus aria-hidden />} onClick={() => setAdding(true)}>
      {t("new")}
    </Button>
  ) : null;
  return (
    <>
      <PageHeader title={titles("credentials")} hint={t("hint")} actions={items?.length === 0 ? null : add} />
      <PageBody className="flex flex-col gap-4">
        {may ? null : <Locked need="edit" />}
        {error && !items ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
        {items && items.length > 5 ? (
          <span className="relative block sm:max-w-xs">
            <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
            <Input type="search" value={wanted} aria-label={t("search")} placeholder={t("search")} className="pl-9" onChange={(event) => setWanted(event.target.value)} />
          </span>
        ) : null}
        {items?.length === 0 ? (
          <EmptyState icon={<KeyRound />} title={t("empty.title")} actions={add}>
            {t("empty.text")}
          </EmptyState>
        ) : error && !items ? null : shown?.length === 0 ? (
          <p role="status" className="py-10 text-center text-sm text-ink-soft">
            {t("nothingFound")}
          </p>
        ) : (
          <CredentialList credentials={shown} />
        )}
      </PageBody>
      {adding ? <CredentialDialog onClose={() => setAdding(false)} /> : null}
    </>
  );
}
