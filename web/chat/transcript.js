// A conversation as it is known so far: stored messages and the frames of running answers, put together.
// No elements in here. A frame may come twice, late, or after a gap; applying it again changes nothing.

import { applyInside, isInside } from "./inside.js";

const OVER = new Set(["completed", "failed", "cancelled"]);

/** The messages of one conversation in their order. */
export class Transcript {
  constructor() {
    this.entries = [];
  }

  /** Answers that are neither finished nor failed. */
  get running() {
    return this.entries.filter((entry) => entry.role === "assistant" && !OVER.has(entry.status));
  }

  /** Whether all that runs waits for people, and nobody here has decided: then nothing is to be heard. */
  get resting() {
    const running = this.running.filter((entry) => entry.status === "running");
    return running.length > 0 && running.every((entry) => {
      const open = entry.blocks.filter((block) => block.type === "tool" && block.result === undefined);
      return open.length > 0 && open.every((block) => block.waits && !block.decided);
    });
  }

  /** A message of the user that the server does not know yet. */
  say(text, clientId) {
    const entry = { role: "user", text, clientId, runId: null, status: "sending" };
    this.entries.push(entry);
    return entry;
  }

  /** Take in stored messages, in any order. What is here already is brought up to date. */
  load(messages) {
    for (const message of messages) {
      const role = message.role;
      let entry = this.find(message.run_id, role);
      if (!entry) this.entries.push((entry = role === "user" ? question(message.run_id) : answer(message.run_id)));
      entry.id = message.id;
      entry.createdAt = message.created_at;
      if (role === "user") Object.assign(entry, { text: message.content, status: "accepted" });
      else settle(entry, message);
    }
    this.sort();
  }

  /** Forget a message of the user that was refused. */
  forget(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
  }

  bySender(clientId) {
    return this.entries.find((entry) => entry.clientId === clientId);
  }

  find(runId, role) {
    return this.entries.find((entry) => entry.runId === runId && entry.role === role);
  }

  /**
   * Apply a frame that has a `run_id`. Answers the entry it changed, and with `gap` that something is missing, with
   * `stranger` that the run was begun elsewhere, with `incomplete` that the stored message holds more than is here.
   */
  apply(frame) {
    if (frame.type === "message_accepted") return this.accepted(frame);
    const stranger = !this.find(frame.run_id, "user");
    const entry = this.answerOf(frame.run_id);
    const effect = { entry, stranger };
    const handle = isInside(frame) ? inside : HANDLERS[frame.type];
    if (handle) Object.assign(effect, handle(entry, frame));
    return effect;
  }

  accepted(frame) {
    const said = this.bySender(frame.client_message_id);
    if (!said) return { entry: this.answerOf(frame.run_id), stranger: !this.find(frame.run_id, "user") };
    Object.assign(said, { runId: frame.run_id, id: frame.message_id, status: "accepted", error: null });
    const entry = this.answerOf(frame.run_id, frame.queued ? "queued" : "running");
    return { entry, also: said };
  }

  answerOf(runId, status = "running") {
    let entry = this.find(runId, "assistant");
    if (!entry) {
      this.entries.push((entry = answer(runId, status)));
      this.sort();
    }
    return entry;
  }

  /** Run ids rise in the order of acceptance; what is not accepted yet comes last. */
  sort() {
    const rank = (entry) => `${entry.runId ?? "~"}${entry.role === "assistant" ? 1 : 0}`;
    this.entries.sort((one, other) => (rank(one) < rank(other) ? -1 : rank(one) > rank(other) ? 1 : 0));
  }
}

const question = (runId) => ({ role: "user", runId, text: "", status: "accepted" });

// `blocks` is the order of things: {type: "text", start} up to the next text block, {type: "thinking", text},
// {type: "tool", id, name, input, step?, waits?, decided?, result?, error?, ms?, output?, calls?}: `waits` is until when people
// can approve it, `decided` that somebody here has. `seq` is the last seen, `floor` that of the last reset.
const answer = (runId, status = "running") => ({
  role: "assistant", runId, status, text: "", blocks: [], seq: -1, floor: -1, whole: true,
});

const HANDLERS = {
  content_delta(entry, frame) {
    if (frame.seq < entry.floor) return {};
    begin(entry);
    if (frame.offset > entry.text.length) return { gap: true };
    entry.seq = Math.max(entry.seq, frame.seq);
    append(entry, frame.delta.slice(entry.text.length - frame.offset));
    return {};
  },

  thinking_delta(entry, frame) {
    if (!newer(entry, frame)) return {};
    const last = entry.blocks.at(-1);
    if (last?.type === "thinking") last.text += frame.delta;
    else entry.blocks.push({ type: "thinking", text: frame.delta, at: entry.text.length });
    return {};
  },

  tool_use_start(entry, frame) {
    if (frame.seq < entry.floor) return {};
    begin(entry);
    entry.seq = Math.max(entry.seq, frame.seq);
    const known = opened(entry, frame);
    if (known.waits) Object.assign(known, { input: frame.input, waits: null });
    return {};
  },

  approval_required(entry, frame) {
    if (frame.seq < entry.floor) return {};
    begin(entry);
    entry.seq = Math.max(entry.seq, frame.seq);
    const block = opened(entry, frame);
    if (block.result === undefined) Object.assign(block, { waits: frame.expires_at, decided: false });
    return { asked: true };
  },

  tool_use_complete(entry, frame) {
    if (frame.seq < entry.floor) return {};
    entry.seq = Math.max(entry.seq, frame.seq);
    let block = tool(entry, frame.tool_use_id);
    if (!block) {
      entry.blocks.push((block = card(entry, frame.tool_use_id, frame.tool_name, null)));
      entry.whole = false;
    }
    Object.assign(block, { result: frame.result, error: frame.error, ms: frame.duration_ms, waits: null });
    return {};
  },

  step_reset(entry, frame) {
    if (frame.seq < entry.floor) return {};
    entry.floor = frame.seq;
    entry.seq = Math.max(entry.seq, frame.seq);
    entry.text = entry.text.slice(0, frame.offset);
    entry.blocks = entry.blocks.filter((block) => kept(block, frame));
    return {};
  },

  content_snapshot(entry, frame) {
    if (frame.status === "queued" || frame.status === "running") entry.status = frame.status;
    if (frame.seq < entry.seq) return {};
    if (!frame.parts?.length && entry.seq < 0) entry.whole = false;
    entry.seq = frame.seq;
    if (frame.parts?.length) {
      const begun = entry.blocks.filter((block) => block.type === "tool" && block.result === undefined);
      rebuild(entry, frame.parts);
      entry.blocks.push(...begun.filter((block) => !tool(entry, block.id)));
    } else if (!entry.text.startsWith(frame.content)) {
      Object.assign(entry, { text: "", blocks: [], whole: false });
      append(entry, frame.content);
    }
    return {};
  },

  run_progress(entry) {
    begin(entry);
    return {};
  },

  message_complete: (entry, frame) => end(entry, frame, "completed"),
  run_cancelled: (entry, frame) => end(entry, frame, "cancelled"),

  error(entry, frame) {
    entry.error = { detail: frame.error, code: frame.code, retryable: frame.retryable };
    return end(entry, frame, "failed");
  },
};

function inside(entry, frame) {
  if (frame.seq < entry.floor) return {};
  begin(entry);
  applyInside(entry, frame);
  return {};
}

function begin(entry) {
  if (entry.status === "queued") entry.status = "running";
}

function newer(entry, frame) {
  if (frame.seq <= entry.seq) return false;
  begin(entry);
  entry.seq = frame.seq;
  return true;
}

function end(entry, frame, status) {
  entry.status = status;
  if (frame.usage) Object.assign(entry, { usage: frame.usage, cost: frame.cost, stopReason: frame.stop_reason });
  if (frame.content !== undefined && frame.content !== entry.text) {
    if (frame.content.startsWith(entry.text)) append(entry, frame.content.slice(entry.text.length));
    else Object.assign(entry, { text: frame.content, blocks: frame.content ? [textBlock(0)] : [], whole: false });
  }
  return { ended: true, incomplete: !entry.whole || frame.truncated === true };
}

/** Take over a stored answer. */
function settle(entry, message) {
  Object.assign(entry, {
    status: message.status ?? "completed", stopReason: message.stop_reason, usage: message.usage, cost: message.cost,
    whole: true, error: message.error ?? entry.error,
  });
  rebuild(entry, message.parts);
}

/** Make the blocks anew from a message's parts; those that stay what they were stay the same objects. */
function rebuild(entry, parts) {
  const before = entry.blocks;
  entry.text = "";
  entry.blocks = [];
  build(entry, parts);
  entry.blocks = entry.blocks.map((block, index) => {
    const known = before[index];
    return known && known.type === block.type && known.id === block.id ? Object.assign(known, block) : block;
  });
}

function build(entry, parts) {
  for (const part of parts) {
    if (part.type === "text") append(entry, part.text);
    else if (part.type === "thinking" && part.text) entry.blocks.push({ type: "thinking", text: part.text, at: entry.text.length });
    else if (part.type === "tool_call") entry.blocks.push(card(entry, part.tool_use_id, part.name, part.input));
    else if (part.type === "tool_result") {
      const block = tool(entry, part.tool_use_id);
      if (block) Object.assign(block, { result: part.result, error: part.error, ms: part.duration_ms });
    }
  }
}

function append(entry, text) {
  if (!text) return;
  if (entry.blocks.at(-1)?.type !== "text") entry.blocks.push(textBlock(entry.text.length));
  entry.text += text;
}

const textBlock = (start) => ({ type: "text", start });
const card = (entry, id, name, input) => ({ type: "tool", id, name, input, at: entry.text.length });
const tool = (entry, id) => entry.blocks.find((block) => block.type === "tool" && block.id === id);

/** The card of a call, made where there is none. */
function opened(entry, frame) {
  let block = tool(entry, frame.tool_use_id);
  if (!block) entry.blocks.push((block = card(entry, frame.tool_use_id, frame.tool_name, frame.input)));
  block.step = frame.step_id;
  return block;
}

/** Whether a block is none of the step that is withdrawn; a call says which is its own. */
function kept(block, { offset, step_id: step }) {
  if (block.type === "tool" && block.step) return block.at <= offset && block.step !== step;
  return keptAt(block, offset);
}

/** Whether a block belongs to what was said before the step that starts again at `offset`. */
function keptAt(block, offset) {
  if (block.type === "text") return block.start < offset;
  if (block.at !== offset) return block.at < offset;
  return offset > 0 && block.type === "tool" && block.result !== undefined;
}

/** The text of one text block. */
export function textOf(entry, block) {
  const next = entry.blocks.find((other) => other.type === "text" && other.start > block.start);
  return entry.text.slice(block.start, next ? next.start : undefined);
}
