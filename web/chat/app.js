// Joins the parts. The address names what is shown: /?agent=…&conversation=…

import * as api from "./api.js";
import { editAgent } from "./agent-form.js";
import { Chat } from "./chat.js";
import { byId, h, icon, toast } from "./dom.js";
import { Sidebar } from "./sidebar.js";
import { PROVIDERS } from "./words.js";

const field = byId("message");
let agent = null;
let chat = null;

const sidebar = new Sidebar({
  choose: (id) => { go(id, null); closeSidebar(); },
  open: (id) => { go(agent.id, id); closeSidebar(); beReady(); },
});

/** Put the cursor into the message field, except where that would bring up a keyboard over half the screen. */
function beReady() {
  if (matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true });
}

/** Show an agent and one of its conversations, and make that the address. */
function go(agentId, conversationId) {
  const query = new URLSearchParams();
  if (agentId) query.set("agent", agentId);
  if (conversationId) query.set("conversation", conversationId);
  const address = query.size ? `/?${query}` : "/";
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
  return show();
}

/** Show what the address names. */
async function show() {
  const query = new URLSearchParams(location.search);
  const agentId = query.get("agent");
  const conversationId = query.get("conversation");
  if (!agentId) return showNothing();
  if (agent?.id !== agentId || !chat) {
    const found = await api.getAgent(agentId).catch((error) => ({ error }));
    if (new URLSearchParams(location.search).get("agent") !== agentId) return undefined;
    if (found.error) return showNothing(found.error.status === 404 ? "There is no such agent." : found.error.words);
    use(found.data);
  }
  sidebar.mark(agentId, conversationId);
  if (conversationId && chat.conversationId !== conversationId) return chat.open(conversationId);
  if (!conversationId && (chat.conversationId || !chat.transcript.entries.length)) chat.begin();
  return undefined;
}

/** Begin to talk to an agent. */
function use(chosen) {
  chat?.close();
  agent = chosen;
  byId("notice").hidden = true;
  byId("agent-name").textContent = agent.name;
  byId("agent-model").textContent = `${PROVIDERS[agent.model_config.provider] ?? agent.model_config.provider} · ${agent.model_config.model}`;
  document.title = `${agent.name} · Agent Builder`;
  byId("edit-agent").hidden = false;
  byId("composer").hidden = false;
  chat = new Chat(agent, {
    onConversation: (id) => { history.replaceState(null, "", `/?${new URLSearchParams({ agent: agent.id, conversation: id })}`); sidebar.mark(agent.id, id); },
    onChange: () => sidebar.conversations?.refresh(),
    onRefused: (frame) => showRefusal(frame),
  });
}

function showNothing(reason) {
  chat?.close();
  chat = agent = null;
  sidebar.mark(null, null);
  document.title = "Dr. Melton Agent Builder";
  byId("agent-name").textContent = "Agent Builder";
  byId("agent-model").textContent = "";
  byId("connection").textContent = "";
  byId("notice").hidden = true;
  for (const id of ["edit-agent", "composer", "stop", "jump"]) byId(id).hidden = true;
  byId("stage").replaceChildren(h("div", { class: "empty" },
    h("h2", { text: reason ?? "Create an agent and talk to it" }),
    h("p", { class: "muted", text: "An agent is a model with instructions and tools. Choose one on the left, or make a new one." }),
    h("button", { type: "button", class: "button primary", text: "Create an agent", on: { click: create } })));
}

function showRefusal(frame) {
  const notice = byId("notice");
  notice.hidden = false;
  notice.replaceChildren(h("span", { text: frame.error }), h("code", { class: "code-name", text: frame.code }));
  if (frame.code === "agent_inactive") {
    notice.append(h("button", { type: "button", class: "small-button", text: "Activate it", on: { click: activate } }));
  }
}

async function activate() {
  const { conversationId } = chat;
  try {
    use(await api.patchAgent(agent.id, { status: "active" }));
    sidebar.agents.refresh();
    if (conversationId) await chat.open(conversationId);
  } catch (error) {
    toast(error.words, "error");
  }
}

async function create() {
  const providers = await loadProviders();
  const outcome = providers && await editAgent(null, null, providers);
  if (!outcome?.agent) return;
  sidebar.agents.refresh();
  await go(outcome.agent.id, null);
  closeSidebar();
  beReady();
}

async function edit() {
  const providers = await loadProviders();
  const current = providers && await api.getAgent(agent.id).catch((error) => void toast(error.words, "error"));
  const outcome = current && await editAgent(current.data, current.etag, providers);
  if (!outcome) return;
  sidebar.agents.refresh();
  if (outcome.deleted) {
    sidebar.agents.remove(agent.id);
    toast("The agent was deleted.");
    agent = null;
    await go(null, null);
    return;
  }
  const { conversationId } = chat;
  use(outcome.agent);
  if (conversationId) await chat.open(conversationId);
}

/** The providers to choose from; without the catalogue names still can be typed in. */
async function loadProviders() {
  try {
    return await api.listModels();
  } catch (error) {
    toast(`The list of models could not be loaded: ${error.words}`, "error");
    return Object.keys(PROVIDERS).map((id) => ({ id, configured: null, models: [] }));
  }
}

function submit() {
  if (chat?.send(field.value)) {
    field.value = "";
    grow();
  }
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 220)}px`;
}

function openSidebar() {
  document.body.classList.add("sidebar-open");
  byId("scrim").hidden = false;
  byId("open-sidebar").setAttribute("aria-expanded", "true");
  byId("close-sidebar").focus();
}

function closeSidebar() {
  if (!document.body.classList.contains("sidebar-open")) return;
  document.body.classList.remove("sidebar-open");
  byId("scrim").hidden = true;
  byId("open-sidebar").setAttribute("aria-expanded", "false");
}

byId("open-sidebar").append(icon("menu"));
byId("close-sidebar").append(icon("close"));
byId("open-sidebar").addEventListener("click", openSidebar);
byId("close-sidebar").addEventListener("click", () => { closeSidebar(); byId("open-sidebar").focus(); });
byId("scrim").addEventListener("click", closeSidebar);
byId("new-agent").addEventListener("click", create);
byId("edit-agent").addEventListener("click", edit);
byId("new-conversation").addEventListener("click", () => { go(agent.id, null); closeSidebar(); beReady(); });
byId("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
byId("stop").addEventListener("click", () => { chat?.stop(); beReady(); });
byId("scroller").addEventListener("scroll", () => chat?.scrolled(), { passive: true });
byId("jump").addEventListener("click", () => { chat.follow = true; chat.afterDrawing(); });
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it (229 is what some browsers say instead).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  submit();
});
addEventListener("keydown", (event) => { if (event.key === "Escape") closeSidebar(); });
addEventListener("popstate", () => show());

async function start() {
  await Promise.all([sidebar.agents.refresh(), location.search ? show() : null]);
  if (location.search) return;
  const newest = sidebar.agents.items[0];
  if (!newest) return showNothing();
  history.replaceState(null, "", `/?${new URLSearchParams({ agent: newest.id })}`);
  await show();
}

start();
