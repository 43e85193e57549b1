"use client";

import { PanelLeft, SquarePen } from "lucide-react";
import { useTranslations } from "next-intl";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { toast } from "@/lib/toast";

import { TicketFailed } from "@melton/client";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { IconButton } from "@/components/ui/button";
import { useFailureText } from "@/components/ui/failure-text";
import { useQuery } from "@/lib/address";
import type { Schemas } from "@/lib/api";
import { useRefresh } from "@/lib/data";
import { useMay } from "@/lib/me";

import { ConversationList, useConversations } from "./conversation-list";
import { ConversationSheet } from "./conversation-sheet";
import { talkOf } from "./model/talk";
import { Room } from "./room";

/** Talk to the agent and see what it does. */
export function Playground({ agent }: AgentTabProps) {
  return <Inside key={agent.id} agent={agent} />;
}

function Inside({ agent }: { agent: Schemas["AgentOut"] }) {
  const t = useTranslations("playground.conversations");
  const [search, change] = useQuery();
  const refresh = useRefresh();
  const may = useMay("run");
  const [sheet, setSheet] = useState(false);
  const [chosen, setChosen] = useState(false);
  const talk = talkOf(agent.id);
  const selected = search.get("c");
  const conversation = talk.conversation(selected);
  const { id } = useConversationId(conversation);
  const { items } = useConversations(agent.id);
  const title = items?.find((item) => item.id === id)?.title;

  useEffect(() => (may ? talk.use() : undefined), [may, talk]);
  const failed = useFailureText();
  // Of a conversation that is gone the transcript speaks itself.
  // What comes back by itself is told by the connection's state.
  useEffect(() => talk.complain((error) => error.code === "conversation_not_found" || (error instanceof TicketFailed && error.retryable) || toast.error(failed({ code: error.code, detail: error.message }))), [failed, talk]);
  useEffect(() => {
    if (may && agent.status !== "inactive" && talk.client.state === "refused") talk.client.connect();
  }, [agent.status, may, talk]);
  useEffect(() => {
    if (selected !== null || id === null) return;
    change({ c: id }, { replace: true });
    void refresh(`/agents/${agent.id}/conversations`);
  }, [agent.id, change, id, refresh, selected]);

  const open = useCallback(
    (next: string | null) => {
      if (next === null) talk.renew();
      setSheet(false);
      setChosen(true);
      change({ c: next });
    },
    [change, talk],
  );
  const begin = useCallback(() => open(null), [open]);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "o" || !event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      begin();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [begin]);

  const list = <ConversationList agentId={agent.id} selected={selected} onOpen={open} onDeleted={(gone) => talk.drop(gone)} />;
  return (
    <div className="flex h-full min-h-0">
      <aside aria-label={t("label")} className="hidden w-64 shrink-0 border-r border-line bg-sunken lg:flex">
        {list}
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex items-center justify-between gap-2 border-b border-line px-2 py-1 lg:hidden">
          <IconButton label={t("show")} aria-haspopup="dialog" onClick={() => setSheet(true)}>
            <PanelLeft aria-hidden />
          </IconButton>
          <p className="min-w-0 truncate text-[13px] text-ink-soft">{title ?? t("new")}</p>
          {may ? (
            <IconButton label={t("new")} onClick={begin}>
              <SquarePen aria-hidden />
            </IconButton>
          ) : (
            <span aria-hidden className="size-8" />
          )}
        </div>
        <Room key={talk.nameOf(conversation)} agent={agent} talk={talk} conversation={conversation} conversationId={id} chosen={chosen} onBegin={begin} />
      </div>
      <ConversationSheet open={sheet} onOpenChange={setSheet}>
        {list}
      </ConversationSheet>
    </div>
  );
}

/** The id of a conversation, from when it has one. */
function useConversationId(conversation: { readonly id: string | null; readonly subscribe: (listener: () => void) => () => void }) {
  const get = useCallback(() => conversation.id, [conversation]);
  return { id: useSyncExternalStore(conversation.subscribe, get) };
}
