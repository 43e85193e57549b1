// What the vectors compare: a transcript and a session in the plain words that both languages share.

import type { Entry, Transcript } from "../src/index.js";
import type { Block } from "../src/index.js";
import { EMPTY, loaded, reduce, type ServerFrame, type StoredMessage } from "../src/index.js";
import { closed, forgotten, overtaken, refused, said } from "../src/transcript.js";

export interface TranscriptStep {
  readonly frame?: ServerFrame;
  readonly stored?: readonly StoredMessage[];
  readonly say?: { readonly id: string; readonly content: string };
  readonly refuse?: { readonly id: string; readonly code: string };
  readonly forget?: { readonly id: string };
  readonly close?: { readonly run: string };
  readonly expect?: readonly unknown[];
}

export function viewOf(transcript: Transcript): unknown[] {
  return transcript.entries.map(entryView);
}

/** Entries, and which of them are overdue. */
export function outlookOf(transcript: Transcript): unknown {
  return { entries: viewOf(transcript), overtaken: Object.fromEntries(overtaken(transcript, "run_3")) };
}

/** A transcript after one step. */
export function advance(transcript: Transcript = EMPTY, step: TranscriptStep): Transcript {
  if (step.frame) return reduce(transcript, step.frame);
  if (step.stored) return loaded(transcript, step.stored);
  if (step.say) return said(transcript, step.say.id, step.say.content);
  if (step.refuse) return refused(transcript, step.refuse.id, { code: step.refuse.code, detail: "", retryable: false });
  if (step.forget) return forgotten(transcript, step.forget.id);
  if (step.close) return closed(transcript, step.close.run);
  return transcript;
}

function entryView(entry: Entry): unknown {
  if (entry.role === "user") {
    return {
      role: "user", content: entry.content, status: entry.status, client_message_id: entry.clientMessageId,
      run_id: entry.runId, message_id: entry.messageId, error: entry.error?.code ?? null,
    };
  }
  return {
    role: "assistant", run_id: entry.runId, message_id: entry.messageId, status: entry.status, phase: entry.phase,
    text: entry.text, sure: entry.sure, blocks: entry.blocks.map(blockView), missing: entry.missing, whole: entry.whole,
    stop_reason: entry.stopReason, usage: entry.usage, cost: entry.cost, error: entry.error?.code ?? null,
  };
}

function blockView(block: Block): unknown {
  if (block.type === "text") return ["text", block.start, block.text];
  if (block.type === "thinking") return ["thinking", block.at, block.text];
  const shown = ["tool", block.at, block.id, block.name, block.status, block.input, block.result, block.error];
  return block.output || block.calls.length ? [...shown, block.output, block.calls.map(blockView)] : shown;
}
