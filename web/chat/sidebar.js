// The lists of agents and conversations.

import * as api from "./api.js";
import { asked, byId, confirmed, h, iconButton, toast } from "./dom.js";
import { PROVIDERS, ago } from "./words.js";

/** A list that is loaded page by page. `load(cursor)` answers a page, `row(item)` makes its element. */
class PagedList {
  constructor(container, { load, row, empty }) {
    Object.assign(this, { container, load, row, empty, items: [], next: null, turn: 0, gone: new Set() });
  }

  /** Load the first page anew; what is shown stays until it has come. */
  async refresh() {
    const turn = ++this.turn;
    if (!this.container.children.length) this.container.replaceChildren(...skeletons());
    try {
      const page = await this.load(null);
      if (turn !== this.turn) return;
      const kept = this.items.slice(page.items.length);
      this.next = page.next_cursor && kept.length ? this.next : page.next_cursor;
      const fresh = new Set(page.items.map((item) => item.id));
      this.items = page.next_cursor ? [...page.items, ...kept.filter((item) => !fresh.has(item.id))] : page.items;
      this.draw();
    } catch (error) {
      if (turn === this.turn && !this.items.length) this.fail(error);
    }
  }

  async loadMore() {
    const page = await this.load(this.next).catch((error) => toast(error.words, "error"));
    if (!page) return;
    this.items.push(...page.items);
    this.next = page.next_cursor;
    this.draw();
  }

  /** Take an item out; a page that was read before it was deleted, or from an index that is late, cannot bring it back. */
  remove(id) {
    this.gone.add(id);
    this.draw();
  }

  draw() {
    this.items = this.items.filter((item) => !this.gone.has(item.id));
    const focused = document.activeElement?.closest?.("[data-id]")?.dataset.id;
    this.container.replaceChildren(
      ...this.items.map((item) => this.row(item)),
      ...(this.items.length ? [] : [h("p", { class: "muted note", text: this.empty })]),
      ...(this.next ? [h("button", { type: "button", class: "link", text: "Show more", on: { click: () => this.loadMore() } })] : []));
    if (focused) this.container.querySelector(`[data-id="${CSS.escape(focused)}"] .row-main`)?.focus();
  }

  fail(error) {
    this.container.replaceChildren(h("p", { class: "bad note", text: error.words }),
      h("button", { type: "button", class: "link", text: "Try again", on: { click: () => this.refresh() } }));
  }
}

const skeletons = () => [1, 2, 3].map(() => h("div", { class: "skeleton", "aria-hidden": "true" }));

/** Both lists. `choose(agentId)` and `open(conversationId or null)` are called when the user picks something. */
export class Sidebar {
  constructor({ choose, open }) {
    Object.assign(this, { choose, open, agentId: null, conversationId: null });
    this.agents = new PagedList(byId("agents"), {
      load: (cursor) => api.listAgents(cursor), row: (agent) => this.agentRow(agent), empty: "No agents yet.",
    });
    this.conversations = null;
  }

  /** Mark what is shown in the middle. */
  mark(agentId, conversationId) {
    const other = agentId !== this.agentId;
    Object.assign(this, { agentId, conversationId });
    byId("conversations-panel").hidden = !agentId;
    if (other) this.showConversationsOf(agentId);
    this.agents.draw();
    this.conversations?.draw();
  }

  showConversationsOf(agentId) {
    byId("conversations").replaceChildren();
    this.conversations = agentId && new PagedList(byId("conversations"), {
      load: (cursor) => api.listConversations(agentId, cursor), row: (item) => this.conversationRow(item), empty: "None yet: write the first message.",
    });
    this.conversations?.refresh();
  }

  agentRow(agent) {
    const current = agent.id === this.agentId;
    const { provider, model } = agent.model_config;
    return h("div", { class: "row", data: { id: agent.id } },
      h("button", { type: "button", class: "row-main", "aria-current": current ? "true" : null, on: { click: () => this.choose(agent.id) } },
        h("span", { class: "row-title", text: agent.name }),
        h("span", { class: "row-sub" }, h("span", { class: `status ${agent.status}`, text: agent.status }), ` ${PROVIDERS[provider] ?? provider} · ${model}`)));
  }

  conversationRow(item) {
    const current = item.id === this.conversationId;
    return h("div", { class: "row", data: { id: item.id } },
      h("button", { type: "button", class: "row-main", "aria-current": current ? "true" : null, on: { click: () => this.open(item.id) } },
        h("span", { class: "row-title", text: item.title }),
        h("span", { class: "row-sub", text: ago(item.updated_at) })),
      h("div", { class: "row-actions" },
        iconButton("edit", `Rename ${item.title}`, () => this.rename(item)),
        iconButton("trash", `Delete ${item.title}`, () => this.remove(item))));
  }

  async rename(item) {
    const title = await asked("Rename the conversation", "Title", item.title, "Rename");
    if (!title) return;
    try {
      await api.renameConversation(item.id, title);
      await this.conversations.refresh();
    } catch (error) {
      toast(error.words, "error");
    }
  }

  async remove(item) {
    if (!(await confirmed("Delete this conversation?", `“${item.title}” will be deleted. This cannot be undone.`, "Delete"))) return;
    try {
      await api.deleteConversation(item.id);
    } catch (error) {
      toast(error.words, "error");
      return;
    }
    this.conversations.remove(item.id);
    if (item.id === this.conversationId) this.open(null);
  }
}
