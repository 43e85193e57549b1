// Wishes that outlive a connection: a cancel, or the decision on a tool call, until it shows that they were heard.

import { isOver } from "./answer.js";
import { findTool, isOpen } from "./blocks.js";
import type { Thread } from "./outbox.js";
import { answerOf } from "./transcript.js";
import { MAX_TRIES } from "./verdicts.js";
import type { ApprovalFrame, ClientFrame } from "./wire.js";

/** A frame that is sent again on a new connection while its run, or its tool call, is open. */
export interface Wish {
  readonly thread: Thread;
  readonly runId: string;
  readonly toolUseId: string | null;
  readonly frame: ClientFrame;
}

/** All wishes, one for each run and tool call. */
export class Standing {
  private wishes = new Map<string, Wish>();
  private readonly askedAgain = new Map<string, number>();

  /** Remember one; a later one for the same takes its place. */
  add(wish: Wish): void {
    const name = nameOf(wish.runId, wish.toolUseId);
    this.wishes.set(name, wish);
    this.askedAgain.delete(name);
  }

  /** The server asks about a call: the decision on it, where one was made; it was lost, or refused a few times. */
  asked(runId: string, toolUseId: string): ClientFrame | null {
    const name = nameOf(runId, toolUseId);
    const wish = this.wishes.get(name);
    if (!wish || !stillOpen(wish)) return null;
    this.askedAgain.set(name, this.times(name) + 1);
    return this.times(name) < MAX_TRIES ? wish.frame : null;
  }

  /** Whether something of a run was wished for that may come true at any moment. */
  expects(runId: string): boolean {
    for (const [name, wish] of this.wishes) {
      if (wish.runId === runId && stillOpen(wish) && this.times(name) < MAX_TRIES) return true;
    }
    return false;
  }

  /** Forget what came true or is over. */
  prune(): void {
    for (const [name, wish] of this.wishes) if (!stillOpen(wish)) this.wishes.delete(name);
  }

  /** Frames to send on a new connection. */
  left(): readonly ClientFrame[] {
    this.prune();
    this.askedAgain.clear();
    return [...this.wishes.values()].map((wish) => wish.frame);
  }

  private times(name: string): number {
    return this.askedAgain.get(name) ?? 0;
  }
}

/** To end a run. */
export function cancelWish(thread: Thread, conversationId: string, runId: string): Wish {
  const frame = { type: "cancel", conversation_id: conversationId, run_id: runId } as const;
  return { thread, runId, toolUseId: null, frame };
}

/** To let a tool call go on, or not. */
export function decisionWish(thread: Thread, frame: ApprovalFrame): Wish {
  return { thread, runId: frame.run_id, toolUseId: frame.tool_use_id, frame };
}

function nameOf(runId: string, toolUseId: string | null): string {
  return `${runId} ${toolUseId ?? ""}`;
}

function stillOpen({ thread, runId, toolUseId }: Wish): boolean {
  const answer = answerOf(thread.transcript, runId);
  if (!answer || isOver(answer)) return false;
  const card = toolUseId === null ? undefined : findTool(answer.blocks, toolUseId);
  return card === undefined || isOpen(card);
}
