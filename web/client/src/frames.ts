// What each frame makes of an answer. Applying a frame again changes nothing.

import {
  FENCE, STORED, appended, begun, cutBack, extended, fenceOf, isOver, verdictOf, withGap, type Answer,
} from "./answer.js";
import {
  built, findTool, finished, isOpen, shared, stopped, swapped, toolBlock, withThinking, withoutStep, type Blocks,
} from "./blocks.js";
import * as inner from "./inner.js";
import type {
  ApprovalRequired, ContentDelta, ContentSnapshot, Ending, RunFailed, RunFrame, RunProgress, RunStatus, StepReset,
  ThinkingDelta, ToolUseComplete, ToolUseStart,
} from "./wire.js";

/** What `resume` brings of a run that has ended; anything else comes late. */
const RETOLD: ReadonlySet<string> = new Set([
  "content_snapshot", "content_delta", "message_complete", "run_cancelled", "error",
]);

/** The answer after a frame of its run; the same object where nothing changed. */
export function apply(answer: Answer, frame: RunFrame): Answer {
  if (isOver(answer) && (answer.whole || !RETOLD.has(frame.type))) return answer;
  const named = answer.messageId === null && frame.message_id ? { ...answer, messageId: frame.message_id } : answer;
  switch (frame.type) {
    case "content_delta":
      return content(named, frame);
    case "thinking_delta":
      return thinking(named, frame);
    case "tool_use_start":
      return inner.isInner(frame) ? inner.started(named, frame) : card(named, frame, "running");
    case "approval_required":
      return card(named, frame, "waiting");
    case "tool_use_complete":
      return inner.isInner(frame) ? inner.completed(named, frame) : toolComplete(named, frame);
    case "tool_output_delta":
      return inner.said(named, frame);
    case "step_reset":
      return stepReset(named, frame);
    case "content_snapshot":
      return snapshot(named, frame);
    case "run_progress":
      return progress(named, frame);
    case "message_complete":
      return ended(named, frame, "completed");
    case "run_cancelled":
      return ended(named, frame, "cancelled");
    case "error":
      return failed(named, frame);
    default:
      return answer;
  }
}

function content(answer: Answer, frame: ContentDelta): Answer {
  const verdict = verdictOf(answer, frame);
  if (verdict === "stale") return answer;
  if (verdict === "gap" || frame.offset > answer.sure) return withGap(answer);
  return extended(begun(answer, frame), frame.delta.slice(answer.sure - frame.offset));
}

function thinking(answer: Answer, frame: ThinkingDelta): Answer {
  const verdict = verdictOf(answer, frame);
  if (verdict === "gap") return withGap(answer);
  if (verdict === "stale" || frame.seq <= answer.seq) return answer;
  const blocks = withThinking(answer.blocks, frame.delta, answer.text.length, frame.step_id ?? null);
  return { ...begun(answer, frame), blocks };
}

function card(answer: Answer, frame: ToolUseStart | ApprovalRequired, status: "running" | "waiting"): Answer {
  const verdict = verdictOf(answer, frame);
  if (verdict !== "take") return verdict === "gap" ? withGap(answer) : answer;
  const known = findTool(answer.blocks, frame.tool_use_id);
  const expiresAt = "expires_at" in frame ? (frame.expires_at ?? null) : null;
  if (!known) {
    const facts = { input: frame.input ?? null, status, expiresAt, stepId: frame.step_id ?? null };
    const fresh = toolBlock(answer.text.length, frame.tool_use_id, frame.tool_name, facts);
    return { ...begun(answer, frame), blocks: [...answer.blocks, fresh] };
  }
  if (!isOpen(known) || known.status === status || (frame.seq ?? answer.seq + 1) <= answer.seq) {
    return begun(answer, frame);
  }
  const now = { ...known, status, expiresAt, input: frame.input === undefined ? known.input : frame.input };
  return { ...begun(answer, frame), blocks: swapped(answer.blocks, known, now) };
}

function toolComplete(answer: Answer, frame: ToolUseComplete): Answer {
  const verdict = verdictOf(answer, frame);
  if (verdict !== "take") return verdict === "gap" ? withGap(answer) : answer;
  const known = findTool(answer.blocks, frame.tool_use_id);
  const next = begun(answer, frame);
  if (!known) {
    const fresh = finished(toolBlock(answer.text.length, frame.tool_use_id, frame.tool_name), frame);
    return { ...next, blocks: [...answer.blocks, fresh], whole: false };
  }
  return isOpen(known) ? { ...next, blocks: swapped(answer.blocks, known, finished(known, frame)) } : next;
}

function stepReset(answer: Answer, frame: StepReset): Answer {
  const { seq, offset } = frame;
  if (seq <= answer.floor) return answer;
  // What came after it was taken already: only a snapshot can tell what is withdrawn.
  if (seq <= answer.seq) return withGap(answer);
  const { left, certain } = withoutStep(answer.blocks, offset, frame.step_id ?? null, answer.runId);
  return {
    ...begun(answer, frame),
    floor: seq,
    text: answer.text.slice(0, offset),
    sure: Math.min(answer.sure, offset),
    blocks: left,
    missing: offset > answer.sure,
    whole: frame.step_id === answer.runId || (answer.whole && certain && offset <= answer.sure),
  };
}

function snapshot(answer: Answer, frame: ContentSnapshot): Answer {
  const begins = frame.status === "running" && answer.status === "queued";
  const next: Answer = begins ? { ...answer, status: "running" } : answer;
  if (frame.seq < Math.max(answer.seq, answer.floor)) return next;
  const shown = frame.parts?.length ? fromParts(next, frame) : fromText(next, frame);
  return { ...shown, seq: frame.seq, floor: frame.seq, missing: false };
}

/** Everything anew; tools that run are not among the parts, so their cards stay while the runner is the same. */
function fromParts(answer: Answer, frame: ContentSnapshot): Answer {
  const made = built(frame.parts ?? []);
  if (!made.text.startsWith(frame.content)) return fromText(answer, frame);
  const stays = fenceOf(frame.seq) === fenceOf(answer.seq);
  const running = answer.blocks.filter((block) => stays && isOpen(block) && !findTool(made.blocks, block.id));
  const blocks = shared([...made.blocks, ...running], answer.blocks);
  return { ...answer, text: made.text, sure: made.text.length, blocks, whole: true };
}

/** The first piece of a long text, deltas follow. What is shown stays until one of them says otherwise. */
function fromText(answer: Answer, frame: ContentSnapshot): Answer {
  const said = frame.content;
  const sameRunner = fenceOf(frame.seq) === fenceOf(answer.seq);
  if ((sameRunner || frame.seq === STORED) && answer.seq >= 0 && answer.text.startsWith(said)) {
    return { ...answer, sure: said.length, whole: answer.whole && frame.seq === answer.seq };
  }
  const nothingYet = answer.seq < 0 && frame.seq % FENCE === 0;
  const blocks: Blocks = said ? [{ type: "text", start: 0, text: said }] : [];
  return { ...answer, text: said, sure: said.length, blocks, whole: answer.whole && nothingYet };
}

function progress(answer: Answer, frame: RunProgress): Answer {
  const phase = frame.phase ?? null;
  if (isOver(answer) || (answer.status === "running" && answer.phase === phase)) return answer;
  return { ...answer, status: "running", phase };
}

function failed(answer: Answer, frame: RunFailed): Answer {
  const error = { code: frame.code, detail: frame.error, retryable: frame.retryable === true };
  return ended({ ...answer, error }, frame, "failed");
}

function ended(answer: Answer, frame: Ending, status: RunStatus): Answer {
  const last = finalText(answer, frame);
  if (isOver(answer)) return last;
  return {
    ...last,
    status,
    phase: null,
    missing: false,
    blocks: last.blocks.some(isOpen) ? stopped(last.blocks) : last.blocks,
    stopReason: frame.stop_reason ?? null,
    usage: frame.usage ?? null,
    cost: frame.cost ?? null,
  };
}

function finalText(answer: Answer, frame: Ending): Answer {
  const said = frame.content;
  const whole = answer.whole && !answer.missing && frame.truncated !== true;
  const known = cutBack(answer, answer.sure);
  if (said === undefined) return { ...known, whole };
  if (said === answer.text) return { ...answer, sure: said.length, whole };
  if (said.startsWith(known.text)) {
    return { ...appended(known, said.slice(known.text.length)), whole: whole && said === known.text };
  }
  return { ...answer, text: said, sure: said.length, blocks: [{ type: "text", start: 0, text: said }], whole: false };
}
