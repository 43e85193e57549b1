// Shows a transcript. Each entry keeps its elements, and what changed is drawn at most once a frame.

import { approvalForm, shut } from "./approval.js";
import { h } from "./dom.js";
import { copyButton, showText } from "./text.js";
import { textOf } from "./transcript.js";
import { answerLine } from "./words.js";

/** The list of messages inside `container`. `onRetry(entry)` is asked to send a refused message again. */
export class MessageList {
  constructor(container, { onRetry }) {
    this.container = container;
    this.onRetry = onRetry;
    this.drawn = new Map();
    this.dirty = new Set();
  }

  /** Start over with another transcript. */
  show(transcript) {
    this.transcript = transcript;
    this.drawn.clear();
    this.dirty.clear();
    this.container.replaceChildren();
    this.drawAll();
  }

  /** Draw an entry soon; `then` is called after each drawing. */
  changed(entry) {
    this.dirty.add(entry);
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.drawChanged());
    setTimeout(() => this.drawChanged(), 200); // a page in the background gets no animation frames
  }

  drawChanged() {
    if (!this.scheduled) return;
    this.scheduled = false;
    this.place();
    for (const entry of this.dirty) if (this.drawn.has(entry)) this.draw(entry);
    this.dirty.clear();
    this.then?.();
  }

  drawAll() {
    this.place();
    for (const entry of this.transcript.entries) this.draw(entry);
    this.then?.();
  }

  /** Put the elements into the order of the entries, and drop those of entries that are gone. */
  place() {
    const { entries } = this.transcript;
    const present = new Set(entries);
    for (const [entry, node] of this.drawn) {
      if (present.has(entry)) continue;
      node.remove();
      this.drawn.delete(entry);
    }
    entries.forEach((entry, index) => {
      let node = this.drawn.get(entry);
      if (!node) {
        node = entry.role === "user" ? userNode() : answerNode(entry);
        this.drawn.set(entry, node);
        this.dirty.add(entry);
      }
      if (this.container.children[index] !== node) this.container.insertBefore(node, this.container.children[index] ?? null);
    });
  }

  draw(entry) {
    const node = this.drawn.get(entry);
    if (entry.role === "user") this.drawUser(node, entry);
    else drawAnswer(node, entry);
  }

  drawUser(node, entry) {
    node.bubble.textContent = entry.text;
    node.foot.replaceChildren();
    node.classList.toggle("refused", entry.status === "refused");
    if (entry.status === "sending") node.foot.append(h("span", { class: "muted", text: "Sending…" }));
    if (entry.status === "refused") {
      node.foot.append(
        h("span", { class: "bad", text: entry.error.detail }), h("code", { class: "code-name", text: entry.error.code }),
        h("button", { type: "button", class: "link", text: "Try again", on: { click: () => this.onRetry(entry) } }));
    }
  }
}

function userNode() {
  const bubble = h("div", { class: "bubble" });
  const foot = h("div", { class: "foot" });
  return Object.assign(h("article", { class: "message user", "aria-label": "You" }, bubble, foot), { bubble, foot });
}

function answerNode(entry) {
  const body = h("div", { class: "body" });
  const foot = h("div", { class: "foot" });
  const node = h("article", { class: "message answer", "aria-label": "Agent" }, body, foot);
  return Object.assign(node, { body, foot, blocks: [], copy: copyButton("Copy the answer", () => entry.text) });
}

function drawAnswer(node, entry) {
  entry.blocks.forEach((block, index) => {
    let shown = node.blocks[index];
    if (shown?.type !== block.type || shown.block !== block) {
      const fresh = { type: block.type, block, node: BLOCKS[block.type].make() };
      if (shown) shown.node.replaceWith(fresh.node);
      else node.body.append(fresh.node);
      node.blocks[index] = shown = fresh;
    }
    BLOCKS[block.type].draw(shown.node, block, entry, index === entry.blocks.length - 1);
  });
  for (const extra of node.blocks.splice(entry.blocks.length)) extra.node.remove();
  drawFoot(node, entry);
}

function drawFoot(node, entry) {
  const busy = entry.status === "running" || entry.status === "queued";
  node.setAttribute("aria-busy", String(busy));
  node.classList.toggle("failed", entry.status === "failed");
  node.foot.replaceChildren();
  if (busy) {
    node.foot.append(h("span", { class: "working" }, h("span", { class: "dots", "aria-hidden": "true" }), busyWord(entry)));
    return;
  }
  if (entry.status === "failed") {
    const error = entry.error ?? { detail: "This answer failed.", code: null };
    node.foot.append(h("div", { class: "failure" }, h("span", { class: "bad", text: error.detail }),
      error.code ? h("code", { class: "code-name", text: error.code }) : null));
  }
  const line = answerLine(entry);
  if (line) node.foot.append(h("span", { class: "meta", text: line }));
  if (entry.text) node.foot.append(node.copy);
}

function busyWord(entry) {
  if (entry.status === "queued") return "Waiting for its turn";
  const last = entry.blocks.at(-1);
  if (entry.blocks.some((block) => block.waits && !block.decided)) return "Waiting for your approval";
  if (last?.type === "tool" && last.result === undefined) return `Using ${last.name}`;
  return last?.type === "text" ? "Answering" : "Thinking";
}

const BLOCKS = {
  text: {
    make: () => h("div", { class: "text" }),
    draw: (node, block, entry) => showText(node, textOf(entry, block)),
  },
  thinking: {
    make: () => {
      const title = h("summary");
      const text = h("div", { class: "thought" });
      return Object.assign(h("details", { class: "card thinking" }, title, text), { inside: { title, text } });
    },
    draw: (node, block, entry, isLast) => {
      node.inside.title.textContent = isLast && entry.status === "running" ? "Thinking…" : "Thought about it";
      node.inside.text.textContent = block.text;
    },
  },
  tool: { make: toolNode, draw: drawTool },
};

function toolNode() {
  const name = h("code", { class: "tool-name" });
  const state = h("span", { class: "tool-state" });
  const body = h("div", { class: "tool-body" });
  const output = h("div", { class: "tool-output" });
  const calls = h("div", { class: "tool-calls" });
  const node = h("details", { class: "card tool" }, h("summary", {}, name, state), output, calls, body);
  return Object.assign(node, { inside: { name, state, body, output, calls, cards: [] }, drawn: "" });
}

function drawTool(node, block, entry, _isLast, stopped = false) {
  const over = stopped || (entry.status !== "running" && entry.status !== "queued");
  drawInside(node, block, entry, over || block.result !== undefined);
  const state = block.error ? "failed" : block.result !== undefined ? "done" : over ? "not finished" : block.waits ? "waiting" : "running";
  if (state === "waiting") return drawWaiting(node, block);
  const key = `${state}${block.input === null}`;
  if (node.drawn === key) return;
  node.drawn = key;
  node.dataset.state = state;
  node.inside.name.textContent = block.name;
  node.inside.state.textContent = block.ms === undefined || block.ms === null ? state : `${state} · ${duration(block.ms)}`;
  if (block.error) node.open = true;
  node.inside.body.replaceChildren(
    ...(block.input ? [h("p", { class: "label", text: "Arguments" }), json(block.input)] : []),
    ...(block.error ? [h("p", { class: "label", text: "Error" }), h("p", { class: "bad", text: block.error })] : []),
    ...(block.result !== undefined && !block.error ? [h("p", { class: "label", text: "Result" }), json(block.result)] : []));
}

/** A call that waits for approval: what is typed stays, until it is decided. */
function drawWaiting(node, block) {
  if (node.drawn !== "waiting") {
    node.drawn = node.dataset.state = "waiting";
    node.inside.name.textContent = block.name;
    node.inside.form = approvalForm(block);
    node.inside.body.replaceChildren(node.inside.form);
    node.open = true;
  }
  node.inside.state.textContent = block.decided ? "decided" : "needs approval";
  shut(node.inside.form, block.decided);
}

/** The text and the calls of an agent that is asked inside this call; it opens the card. */
function drawInside(node, block, entry, stopped) {
  const { output, calls, cards } = node.inside;
  if (output.textContent !== (block.output ?? "")) output.textContent = block.output;
  (block.calls ?? []).forEach((call, index) => {
    if (!cards[index]) calls.append((cards[index] = toolNode()));
    drawTool(cards[index], call, entry, false, stopped);
  });
  if (!node.shown && (block.output || block.calls?.length)) node.open = node.shown = true;
}

const json = (value) => h("pre", { tabIndex: 0 }, h("code", { text: JSON.stringify(value, null, 2) }));
const duration = (ms) => (ms < 1 ? "under 1 ms" : ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
