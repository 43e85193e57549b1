// What was typed and not sent, kept by conversation until it is: through reloads, and while nobody is signed in.

import { messageKey } from "@/lib/typed";

type Place = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** The browser's store; where it is forbidden or full drafts last as long as the page. */
function store(): Place | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export class Drafts {
  private readonly place: Place | null;
  private readonly agentId: string;

  constructor(agentId: string, place: Place | null = store()) {
    this.agentId = agentId;
    this.place = place;
  }

  read(conversationId: string | null): string {
    try {
      return this.place?.getItem(this.key(conversationId)) ?? "";
    } catch {
      return "";
    }
  }

  write(conversationId: string | null, text: string): void {
    try {
      if (text) this.place?.setItem(this.key(conversationId), text);
      else this.place?.removeItem(this.key(conversationId));
    } catch {
      // Full: what is typed is still in the field.
    }
  }

  /** A new conversation has its id now: what was typed meanwhile belongs to it. */
  move(from: string | null, to: string): void {
    const text = this.read(from);
    this.write(from, "");
    if (text) this.write(to, text);
  }

  private key(conversationId: string | null): string {
    return messageKey(this.agentId, conversationId);
  }
}
