// Wishes that outlive a connection: a cancel, or the decision on a tool call, until it shows that they were heard.

import { isOver } from "./answer.js";
import { findTool, isOpen } from "./blocks.js";
import type { Thread } from "./outbox.js";
import { answerOf } from "./transcript.js";
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
  private readonly passed = new Set<string>();

  /** Remember one; a later one for the same takes its place. */
  add(wish: Wish): void {
    const name = nameOf(wish.runId, wish.toolUseId);
    this.wishes.set(name, wish);
    this.passed.delete(name);
  }

  /** The server asks again about a call: it has not heard the decision, or would not. */
  passedOver(runId: string, toolUseId: string): void {
    this.passed.add(nameOf(runId, toolUseId));
  }

  /** Whether something of a run was wished for that may come true at any moment. */
  expects(runId: string): boolean {
    for (const [name, wish] of this.wishes) {
      if (wish.runId === runId && stillOpen(wish) && !this.passed.has(name)) return true;
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
    this.passed.clear();
    return [...this.wishes.values()].map((wish) => wish.frame);
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
