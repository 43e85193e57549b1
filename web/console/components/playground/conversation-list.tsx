"use client";

import { Search, SquarePen } from "lucide-react";
import { useTranslations } from "next-intl";
import { useMemo, useState } from "react";
import { toast } from "@/lib/toast";

import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { ErrorState, useErrorText } from "@/components/ui/error-state";
import { Input } from "@/components/ui/field";
import { Skeleton } from "@/components/ui/surface";
import { api, type Schemas } from "@/lib/api";
import { cn } from "@/lib/cn";
import { usePages, useRefresh, useRest } from "@/lib/data";
import { useMay } from "@/lib/me";

import { ConversationRow } from "./conversation-row";
import { grouped } from "./model/entries";

type Item = Schemas["ConversationOut"];

interface Props {
  agentId: string;
  selected: string | null;
  onOpen: (id: string | null) => void;
  onDeleted: (id: string) => void;
}

export const useConversations = (agentId: string) => usePages<Item>(`/agents/${agentId}/conversations`);

/** An agent's conversations, by day. */
export function ConversationList({ agentId, selected, onOpen, onDeleted }: Props) {
  const t = useTranslations("playground.conversations");
  const text = useErrorText();
  const refresh = useRefresh();
  const path = `/agents/${agentId}/conversations`;
  const pages = useConversations(agentId);
  const { items, more, loadMore, loadingMore, error, mutate } = pages;
  const may = useMay("run");
  const [search, setSearch] = useState("");
  const [deleting, setDeleting] = useState<Item | null>(null);
  const [busy, setBusy] = useState(false);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const [now] = useState(() => new Date());
  const shown = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return (items ?? []).filter((item) => !gone.has(item.id) && (!wanted || item.title.toLowerCase().includes(wanted)));
  }, [gone, items, search]);
  const searching = useRest(pages, search.trim() !== "");
  const groups = useMemo(() => grouped(shown, now), [shown, now]);

  const remove = async (item: Item) => {
    setBusy(true);
    try {
      await api.DELETE("/api/v1/conversations/{conversation_id}", { params: { path: { conversation_id: item.id } } });
      setGone((before) => new Set([...before, item.id]));
      setDeleting(null);
      if (item.id === selected) onOpen(null);
      onDeleted(item.id);
      toast.success(t("deleted"));
      await refresh(path);
    } catch (failure) {
      toast.error(text(failure));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <div className="flex flex-col gap-2 p-3">
        {may ? (
          <Button icon={<SquarePen aria-hidden />} title={t("newKeys")} onClick={() => onOpen(null)}>
            {t("new")}
          </Button>
        ) : null}
        <span className="relative block">
          <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
          <Input type="search" aria-label={t("search")} placeholder={t("search")} value={search} onChange={(event) => setSearch(event.target.value)} className="pl-9" />
        </span>
      </div>
      <nav aria-label={t("label")} className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {error && !items ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
        {!items && !error ? <Waiting /> : null}
        {items && shown.length === 0 && !searching ? <p className="px-3 py-6 text-center text-[13px] text-ink-soft">{search ? (more ? t("noneLoaded") : t("noneFound")) : t("none")}</p> : null}
        {groups.map(([age, members]) => (
          <section key={age} aria-label={t(`ages.${age}`)}>
            <h2 className="px-2.5 pt-3 pb-1 text-xs font-medium text-ink-soft">{t(`ages.${age}`)}</h2>
            <ul>
              {members.map((item) => (
                <ConversationRow key={item.id} item={item} current={item.id === selected} onOpen={() => onOpen(item.id)} onDelete={() => setDeleting(item)} onRenamed={() => refresh(path)} />
              ))}
            </ul>
          </section>
        ))}
        <p role="status" className={cn("px-3 pt-4 text-center text-[13px] text-ink-soft", !searching && "sr-only")}>
          {searching ? t("searching", { count: items?.length ?? 0 }) : search.trim() ? t("found", { count: shown.length }) : ""}
        </p>
        {more && !searching ? (
          <div className="flex justify-center pt-2">
            <Button size="sm" kind="ghost" busy={loadingMore} onClick={() => void loadMore()}>
              {t("more")}
            </Button>
          </div>
        ) : null}
      </nav>
      <Confirm open={deleting !== null} onOpenChange={(open) => open || setDeleting(null)} title={t("deleteTitle")} action={t("delete")} busy={busy} onConfirm={() => deleting && void remove(deleting)}>
        {t("deleteText", { title: deleting?.title ?? "" })}
      </Confirm>
    </div>
  );
}

function Waiting() {
  return (
    <div className="flex flex-col gap-1 px-1 pt-3">
      <Skeleton className="mb-2 h-3 w-16" />
      {[0, 1, 2, 3, 4].map((row) => (
        <Skeleton key={row} className="h-9 w-full" />
      ))}
    </div>
  );
}
