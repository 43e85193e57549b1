// What was typed and neither sent nor saved, by person: where it is kept, and that it goes with whoever signs out.

import { whose } from "./session";

const MESSAGES = "melton.draft.";
const AGENTS = "agent-draft:";

/** Where messages that are not sent are kept, in the browser's own store. Who comes after somebody else does not find theirs. */
export function messageKey(agentId: string, conversationId: string | null): string {
  return `${messagesOf(whose())}${agentId}.${conversationId ?? "new"}`;
}

/** Where changes of agents that are not saved are kept, in the tab's store. */
export function agentKey(id: string): string {
  return `${AGENTS}${whose()}:${id}`;
}

/** Somebody leaves this computer. */
export function forgetTyped(): void {
  const person = whose();
  try {
    forget(localStorage, `${messagesOf(person)}agt_`);
    forget(sessionStorage, `${AGENTS}${person}:agt_`);
  } catch {
    // Without a store there is nothing to forget.
  }
}

function messagesOf(person: string): string {
  return `${MESSAGES}${person ? `${person}.` : ""}`;
}

function forget(store: Storage, start: string): void {
  for (const key of Object.keys(store)) if (key.startsWith(start)) store.removeItem(key);
}
