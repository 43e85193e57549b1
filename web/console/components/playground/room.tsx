"use client";

import { useTranslations } from "next-intl";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { toast } from "@/lib/toast";

import { ClientError, isOver, type Conversation } from "@melton/client";
import { useFailureText } from "@/components/ui/failure-text";
import { Locked } from "@/components/ui/locked";
import type { Schemas } from "@/lib/api";
import { useMay } from "@/lib/me";

import { ActionsProvider, type Actions } from "./actions";
import { Announcer } from "./announcer";
import { Composer, type ComposerHandle } from "./composer";
import { ConnectionState } from "./connection";
import { lastQuestion, merged, underWay } from "./model/entries";
import type { History, Stored } from "./model/history";
import { paced } from "./model/pace";
import type { Talk } from "./model/talk";
import { Transcript } from "./transcript";
import { Welcome } from "./welcome";

interface Props {
  agent: Schemas["AgentOut"];
  talk: Talk;
  conversation: Conversation;
  conversationId: string | null;
  /** It was just chosen: one wants to write. */
  chosen: boolean;
  /** Leave for a new one. */
  onBegin: () => void;
}

/** One conversation: what was said, and where one says more. */
export function Room({ agent, talk, conversation, conversationId, chosen, onBegin }: Props) {
  const t = useTranslations("playground.room");
  const may = useMay("run");
  const composer = useRef<ComposerHandle>(null);
  const [live] = useState(() => paced({ subscribe: conversation.subscribe, get: conversation.getTranscript }));
  const transcript = useSyncExternalStore(live.subscribe, live.get);
  const { state } = useSyncExternalStore(talk.subscribe, talk.getConnection);
  const history = useMemo(() => (conversationId === null ? null : talk.history(conversation)), [conversation, conversationId, talk]);
  const stored = useStored(history);
  const entries = useMemo(() => merged(stored?.entries ?? [], transcript.entries), [stored?.entries, transcript.entries]);
  const running = underWay(entries);

  useEffect(() => {
    if (conversationId === null) return;
    // Only a connection follows what goes on, and whoever may say nothing gets none.
    if (may) talk.look(conversationId);
    history?.open();
  }, [conversationId, history, may, talk]);

  useEffect(() => {
    // Not where that would bring up a keyboard over what one wants to read.
    if (chosen && matchMedia("(pointer: fine)").matches) composer.current?.focus();
  }, [chosen]);
  useEffect(() => {
    const leave = () => keepUnsent(talk, conversation);
    window.addEventListener("pagehide", leave);
    return () => window.removeEventListener("pagehide", leave);
  }, [conversation, talk]);

  const ended = transcript.entries.flatMap((entry) => (entry.role === "assistant" && isOver(entry) ? [entry.runId] : [])).join(" ");
  useEffect(() => {
    if (ended) void history?.learn(ended.split(" "));
  }, [ended, history]);

  const failed = useFailureText();
  const say = useCallback(
    (content: string): string | null => {
      try {
        conversation.send(content);
        return null;
      } catch (error) {
        if (error instanceof ClientError) return error.code === "payload_too_large" ? t("tooLong") : (failed({ code: error.code, detail: error.message }) ?? error.message);
        throw error;
      }
    },
    [conversation, failed, t],
  );
  const actions = useMemo<Actions>(
    () => ({
      agentId: agent.id,
      may,
      begin: onBegin,
      again: (content) => {
        const why = say(content);
        if (why) toast.error(why);
      },
      edit: (content) => composer.current?.edit(content),
      resend: (clientMessageId) => void conversation.retry(clientMessageId),
      takeBack: (clientMessageId) => conversation.takeBack(clientMessageId),
      cancel: (runId) => conversation.cancel(runId),
      decided: () => {
        if (conversation.id !== null) talk.client.watch(conversation.id);
      },
    }),
    [agent.id, conversation, may, onBegin, say, talk],
  );
  const runId = running?.runId;
  const stop = useCallback(() => conversation.cancel(runId), [conversation, runId]);
  const older = useCallback(() => void history?.load(), [history]);

  return (
    <ActionsProvider value={actions}>
      <Transcript entries={entries} stored={stored} online={state === "open" || !may} empty={<Welcome agent={agent} onSay={actions.again} />} onOlder={older} />
      <Announcer entries={entries} />
      {may ? <ConnectionState talk={talk} /> : <div className="mx-auto w-full max-w-3xl px-3 pb-3 sm:px-6 sm:pb-5"><Locked need="run" /></div>}
      {may ? <Composer
        ref={composer}
        drafts={talk.drafts}
        conversationId={conversationId}
        agentName={agent.name}
        running={running !== undefined}
        last={lastQuestion(entries)?.content}
        onSend={say}
        onStop={stop}
      /> : null}
    </ActionsProvider>
  );
}

/** The page goes while there is no connection: what waits to be sent becomes a draft again. */
function keepUnsent(talk: Talk, conversation: Conversation): void {
  if (talk.client.state === "open") return;
  const unsent = conversation.transcript.entries.flatMap((entry) => (entry.role === "user" && entry.status !== "accepted" ? [entry.content] : []));
  const draft = talk.drafts.read(conversation.id);
  if (unsent.length > 0) talk.drafts.write(conversation.id, [...unsent, ...(draft ? [draft] : [])].join("\n\n"));
}

const never = () => () => undefined;
const nothing = () => null;

function useStored(history: History | null): Stored | null {
  return useSyncExternalStore<Stored | null>(history?.subscribe ?? never, history?.get ?? nothing);
}
