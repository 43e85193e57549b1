// The conversation in the middle of the page: what is typed goes out, what comes in is shown, and nothing gets lost.

import * as api from "./api.js";
import { byId, h, toast } from "./dom.js";
import { MessageList } from "./messages.js";
import { PlaygroundSocket, freshId } from "./socket.js";
import { Transcript } from "./transcript.js";

const FRAME_LIMIT = 32 * 1024;
const QUIET_FIRST = 8000;
const QUIET_AGAIN = 5000;
const QUIET_TOO_LONG = 24_000;
const DECIDED = new Set(["already_decided", "nothing_to_decide"]);
const STATES = { connecting: "Connecting…", waiting: "Connection lost, trying again…", refused: "Not connected", open: "Connected", closed: "" };
const EXAMPLES = ["What time is it in Vienna right now?", "What is 17.5 % of 2,349?", "What can you help me with?"];
const SCRIPTED = ["/tool calculator {\"expression\": \"(3 + 4) * 1.5\"}", "/slow 40\n/long 60", "/error rate_limit 1\n/say It worked at the second attempt."];

/** One agent's chat. `onConversation(id)` is told when a conversation begins, `onChange()` when the list is out of date. */
export class Chat {
  constructor(agent, { onConversation, onChange, onRefused }) {
    Object.assign(this, { agent, onConversation, onChange, onRefused, conversationId: null, earlier: null });
    this.list = h("div", { class: "messages", role: "log", "aria-label": "Conversation", "aria-live": "off" });
    this.more = h("button", { type: "button", class: "small-button center", text: "Show earlier messages", on: { click: () => this.loadEarlier() } });
    this.empty = h("div", { class: "empty" });
    this.messages = new MessageList(this.list, { onRetry: (entry) => this.retry(entry) });
    this.list.addEventListener("decide", (event) => this.decide(event.detail));
    this.messages.then = () => this.afterDrawing();
    byId("stage").replaceChildren(this.more, this.list, this.empty);
    this.socket = new PlaygroundSocket(agent.id, { onFrame: (frame) => this.heard(frame), onState: (state) => this.connected(state) });
    this.watch = setInterval(() => this.checkSilence(), 1000);
    this.begin();
  }

  /** Leave: the server goes on with what it does. */
  close() {
    clearInterval(this.watch);
    this.socket.close();
  }

  /** An empty conversation; the server knows of it with the first message. */
  begin() {
    this.leave();
    this.conversationId = null;
    this.show(new Transcript(), null);
  }

  /** Open a stored conversation: what is stored by REST, then what is going on by `resume`. */
  async open(conversationId) {
    this.leave();
    this.conversationId = conversationId;
    this.show(new Transcript(), null);
    this.setEmpty("Loading…");
    const { transcript } = this;
    this.loading = true;
    await this.reload();
    if (this.transcript !== transcript) return;
    this.loading = false;
    if (!this.failed) this.resume();
  }

  show(transcript, earlier) {
    this.transcript = transcript;
    this.earlier = earlier;
    this.early = []; // frames of an answer that was quicker than word of its message
    this.failed = this.loading = false;
    this.follow = true;
    this.held = [];
    this.messages.show(transcript);
  }

  async reload() {
    const { conversationId, transcript } = this;
    if (!conversationId) return;
    try {
      const page = await api.listMessages(conversationId);
      if (this.transcript !== transcript) return;
      const fresh = !transcript.entries.length;
      transcript.load(page.items);
      if (fresh) this.earlier = page.next_cursor;
      this.messages.drawAll();
    } catch (error) {
      if (this.transcript !== transcript) return;
      this.failed = error.status === 404;
      this.setEmpty(this.failed ? "This conversation does not exist any more." : error.words);
    }
  }

  async loadEarlier() {
    const { transcript, earlier } = this;
    this.more.disabled = true;
    const page = await api.listMessages(this.conversationId, earlier).catch((error) => toast(error.words, "error"));
    this.more.disabled = false;
    if (!page || this.transcript !== transcript) return;
    const height = byId("scroller").scrollHeight - byId("scroller").scrollTop;
    this.follow = false;
    this.earlier = page.next_cursor;
    transcript.load(page.items);
    this.messages.drawAll();
    byId("scroller").scrollTop = byId("scroller").scrollHeight - height;
  }

  /** Send what was typed; false if it cannot be sent like this. */
  send(text) {
    const content = text.trim();
    if (!content) return false;
    if (this.socket.state === "refused") {
      toast("This agent does not answer; see the message above.", "error");
      return false;
    }
    const clientId = freshId();
    if (new TextEncoder().encode(JSON.stringify(this.frame(content, clientId))).length > FRAME_LIMIT - 100) {
      toast("This message is too long: at most 32 KB fit. Send it in pieces.", "error");
      return false;
    }
    this.follow = true;
    this.deliver(this.transcript.say(content, clientId));
    return true;
  }

  /** Send a message, or hold it back while another is on its way: frames sent together may be accepted in any order. */
  deliver(entry) {
    const waits = this.transcript.entries.some((other) => other !== entry && other.status === "sending");
    entry.status = "sending";
    this.messages.changed(entry);
    if (waits) this.held.push(entry);
    else this.socket.send(this.frame(entry.text, entry.clientId));
  }

  /** One was accepted or refused: the next may go. */
  release() {
    const entry = this.held.shift();
    if (entry) this.socket.send(this.frame(entry.text, entry.clientId));
  }

  /** What is held back for this conversation goes out before another is shown. */
  leave() {
    while (this.conversationId && this.held?.length) this.release();
  }

  frame(content, clientId) {
    const place = this.conversationId ? { conversation_id: this.conversationId } : {};
    return { type: "user_message", content, client_message_id: clientId, ...place };
  }

  retry(entry) {
    Object.assign(entry, { error: null, clientId: entry.error.retryable ? entry.clientId : freshId() });
    this.deliver(entry);
  }

  /** Stop all that runs or waits in this conversation. */
  stop() {
    if (this.conversationId) this.socket.send({ type: "cancel", conversation_id: this.conversationId });
  }

  /** Say yes or no to a tool call that waits. */
  decide({ block, ...decision }) {
    const entry = this.transcript.running.find((one) => one.blocks.includes(block));
    if (!entry) return;
    block.decided = true;
    this.messages.changed(entry);
    this.socket.attend();
    this.socket.send({ type: "approval", run_id: entry.runId, tool_use_id: block.id, ...decision });
  }

  /** A decision may have been refused: let people decide again. */
  reopen() {
    for (const entry of this.transcript.running) {
      for (const block of entry.blocks.filter((one) => one.waits && one.decided)) block.decided = false;
      this.messages.changed(entry);
    }
  }

  resume() {
    this.resumedAt = Date.now();
    if (this.conversationId && this.socket.state === "open") {
      this.socket.send({ type: "resume", conversation_id: this.conversationId });
    }
  }

  heard(frame) {
    if (frame.type === "error" && !frame.run_id) return this.refused(frame);
    if (frame.type === "message_accepted") this.adopt(frame);
    if (!frame.run_id) return undefined;
    if (frame.conversation_id === this.conversationId) this.applied(this.transcript.apply(frame), frame);
    else if (!this.conversationId) this.early.push(frame);
    if (frame.type === "message_accepted") this.early.splice(0).forEach((one) => this.heard(one));
    return undefined;
  }

  /** The first message of a new conversation was accepted: from now on it has a name. */
  adopt(frame) {
    const said = this.transcript.bySender(frame.client_message_id);
    if (!said) return;
    if (!this.conversationId) {
      this.conversationId = frame.conversation_id;
      this.onConversation(frame.conversation_id);
    }
    if (said.status === "sending") this.release();
    this.onChange();
  }

  applied(effect, frame) {
    if (effect.entry) this.messages.changed(effect.entry);
    if (effect.also) this.messages.changed(effect.also);
    if (effect.gap) this.socket.reconnect();
    if (effect.stranger || effect.incomplete || this.overtakes(frame)) this.reload();
    if (effect.asked) byId("announcer").textContent = "A tool call waits for your approval.";
    if (effect.ended) {
      this.onChange();
      byId("announcer").textContent = frame.type === "message_complete" ? "The answer is complete." : "The answer has ended.";
    }
  }

  /** Whether a snapshot shows that an earlier answer has ended, of which nobody has told: runs go in order. */
  overtakes(frame) {
    return frame.type === "content_snapshot" && this.transcript.running.some((entry) => entry.runId < frame.run_id);
  }

  refused(frame) {
    const entry = frame.client_message_id && this.transcript.bySender(frame.client_message_id);
    if (entry) {
      Object.assign(entry, { status: "refused", error: { detail: frame.error, code: frame.code, retryable: frame.retryable } });
      this.messages.changed(entry);
      this.release();
    } else if (this.socket.state === "refused") {
      this.onRefused(frame);
    } else if (frame.code !== "nothing_to_cancel") {
      if (!DECIDED.has(frame.code)) this.reopen();
      toast(`${frame.error} (${frame.code})`, "error");
    }
  }

  connected(state) {
    const node = byId("connection");
    node.textContent = STATES[state];
    node.dataset.state = state;
    if (state === "open" && !this.loading) this.resume();
  }

  /** During a run the server says something every five seconds; if not, ask, and at last connect anew. */
  checkSilence() {
    if (!this.transcript.running.length || this.transcript.resting || this.socket.state !== "open") return;
    if (this.socket.silence > QUIET_TOO_LONG) this.socket.reconnect();
    else if (this.socket.silence > QUIET_FIRST && Date.now() - (this.resumedAt ?? 0) > QUIET_AGAIN) this.resume();
  }

  afterDrawing() {
    this.more.hidden = !this.earlier;
    if (this.transcript.entries.length) this.empty.hidden = true;
    else if (!this.conversationId) this.welcome();
    byId("stop").hidden = !this.transcript.running.length;
    const scroller = byId("scroller");
    if (this.follow) scroller.scrollTop = scroller.scrollHeight;
    byId("jump").hidden = this.follow;
  }

  /** Follow the end of the text, unless the reader has scrolled away from it. */
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = byId("scroller");
    this.follow = scrollHeight - scrollTop - clientHeight < 60;
    byId("jump").hidden = this.follow;
  }

  setEmpty(text) {
    this.empty.hidden = false;
    this.empty.replaceChildren(h("p", { class: "muted", text }));
  }

  welcome() {
    const examples = this.agent.model_config.provider === "scripted" ? SCRIPTED : EXAMPLES;
    this.empty.hidden = false;
    this.empty.replaceChildren(
      h("h2", { text: `Talk to ${this.agent.name}` }),
      h("p", { class: "muted", text: this.agent.description || "Write a message below, or begin with one of these." }),
      h("div", { class: "examples" }, examples.map((text) =>
        h("button", { type: "button", class: "example", text, on: { click: () => this.suggest(text) } }))));
  }

  suggest(text) {
    const field = byId("message");
    field.value = text;
    field.dispatchEvent(new Event("input"));
    field.focus();
  }
}
