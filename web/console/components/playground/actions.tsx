"use client";

import { createContext, use } from "react";

/** What can be done with the messages of a conversation. The same functions for as long as it is shown. */
export interface Actions {
  readonly agentId: string;
  /** Whether whoever looks may say and decide things at all. */
  readonly may: boolean;
  /** Leave for a new conversation. */
  readonly begin: () => void;
  /** Say something again, as a new message. */
  readonly again: (content: string) => void;
  /** Put a message into the field, to be said in other words. */
  readonly edit: (content: string) => void;
  /** Send a refused message once more. */
  readonly resend: (clientMessageId: string) => void;
  /** Take back a message that is not accepted. */
  readonly takeBack: (clientMessageId: string) => void;
  /** End a run, or take it out of the queue. */
  readonly cancel: (runId: string) => void;
  /** Somebody has decided on a call; ask what became of it. */
  readonly decided: () => void;
}

const Context = createContext<Actions | null>(null);

export const ActionsProvider = Context;

/** What the answer around this answers, to ask it again. */
export const AskedContext = createContext<string | undefined>(undefined);

export function useActions(): Actions {
  const actions = use(Context);
  if (!actions) throw new Error("There is no conversation around this.");
  return actions;
}
