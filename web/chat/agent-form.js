// The dialog that creates or changes an agent.

import * as api from "./api.js";
import { ask, confirmed, h } from "./dom.js";
import { freshId } from "./socket.js";
import { KEY_VARIABLES, PROVIDERS, modelFacts } from "./words.js";

const OTHER = "\u0000other";
const TOOLS = [
  ["current_time", "Current time", "the date and time in any time zone"],
  ["calculator", "Calculator", "exact arithmetic"],
];
const PREFERRED = ["anthropic", "openai", "google", "local", "scripted"];

/**
 * Show the form. Without an agent it creates one. Resolves to `{agent}` when saved, `{deleted: true}` when deleted,
 * and null when it was dismissed.
 */
export async function editAgent(agent, etag, providers) {
  const form = new AgentForm(agent, etag, providers);
  await ask(form.dialog);
  return form.outcome;
}

class AgentForm {
  constructor(agent, etag, providers) {
    Object.assign(this, { agent, etag, providers, outcome: null, key: freshId() });
    this.build();
    this.showModels(agent?.model_config.model);
  }

  build() {
    const { agent } = this;
    const config = agent?.model_config ?? { provider: this.preferred() };
    this.name = h("input", { id: "f-name", value: agent?.name ?? "My assistant", required: true, maxLength: 100, autocomplete: "off" });
    this.description = h("input", { id: "f-description", value: agent?.description ?? "", maxLength: 2000, autocomplete: "off" });
    this.prompt = h("textarea", { id: "f-prompt", rows: 5, maxLength: 100000, value: agent?.system_prompt ?? "", placeholder: "You are a friendly assistant. Answer briefly." });
    this.provider = h("select", { id: "f-provider", on: { change: () => this.showModels() } }, this.providers.map((provider) => this.providerOption(provider)));
    this.provider.value = config.provider;
    this.model = h("select", { id: "f-model", on: { change: () => this.showFacts() } });
    this.otherModel = h("input", { id: "f-other", maxLength: 200, autocomplete: "off", spellcheck: false });
    this.baseUrl = h("input", { id: "f-base", type: "url", maxLength: 500, value: config.base_url ?? "", placeholder: "https://host/v1", autocomplete: "off" });
    this.facts = h("p", { class: "hint", id: "f-facts", "aria-live": "polite" });
    this.warning = h("p", { class: "warning", hidden: true });
    this.status = h("select", { id: "f-status" },
      h("option", { value: "draft", text: "Draft: answers here only" }),
      h("option", { value: "active", text: "Active: answers everywhere" }),
      h("option", { value: "inactive", text: "Inactive: answers nowhere" }));
    this.status.value = agent?.status ?? "draft";
    this.temperature = h("input", { id: "f-temperature", type: "number", min: 0, max: 2, step: "any", value: config.temperature ?? "", placeholder: "the vendor's default" });
    this.maxTokens = h("input", { id: "f-max", type: "number", min: 1, max: 1000000, value: config.max_tokens ?? "", placeholder: "the vendor's default" });
    this.problem = h("p", { class: "bad", role: "alert" });
    this.save = h("button", { type: "submit", class: "button primary", text: agent ? "Save" : "Create agent" });
    this.dialog = this.layout();
  }

  layout() {
    const title = this.agent ? "Edit agent" : "New agent";
    const chosen = this.agent?.builtin_tools ?? TOOLS.map(([id]) => id);
    this.tools = TOOLS.map(([id, label, what]) => {
      const box = h("input", { type: "checkbox", value: id, checked: chosen.includes(id) });
      return { box, node: h("label", { class: "check" }, box, h("span", {}, label, h("span", { class: "muted", text: ` ${what}` }))) };
    });
    this.otherField = field("Model name, as the vendor writes it", this.otherModel);
    this.baseField = field("Address of the server", this.baseUrl);
    return h("dialog", { class: "dialog", "aria-label": title },
      h("form", { on: { submit: (event) => this.submit(event) } },
        h("h2", { text: title }),
        field("Name", this.name),
        h("div", { class: "two" }, field("Provider", this.provider), field("Model", this.model)),
        this.otherField, this.baseField, this.warning, this.facts,
        field("Instructions", this.prompt, "What the agent should know and how it should behave."),
        h("fieldset", {}, h("legend", { text: "Built-in tools" }), this.tools.map((tool) => tool.node)),
        h("details", { class: "more" }, h("summary", { text: "More settings" }),
          field("Description", this.description),
          field("Status", this.status),
          h("div", { class: "two" }, field("Temperature", this.temperature), field("Most tokens of an answer", this.maxTokens))),
        this.problem,
        h("div", { class: "dialog-actions" },
          this.agent ? h("button", { type: "button", class: "button danger push", text: "Delete agent", on: { click: () => this.remove() } }) : null,
          h("button", { type: "button", class: "button", text: "Cancel", on: { click: () => this.dialog.close() } }),
          this.save)));
  }

  preferred() {
    const usable = (name) => this.providers.some((provider) => provider.id === name && provider.configured);
    return PREFERRED.find(usable) ?? "scripted";
  }

  providerOption({ id, configured }) {
    const state = configured === false ? (KEY_VARIABLES[id] ? " (no key)" : " (not available)") : KEY_VARIABLES[id] && configured ? " (key configured)" : "";
    return h("option", { value: id, text: (PROVIDERS[id] ?? id) + state });
  }

  /** Offer the provider's models; one that the catalogue does not know can be typed in. */
  showModels(wanted) {
    const models = this.known();
    this.model.replaceChildren(
      ...models.map((model) => h("option", { value: model.id, text: model.name ?? model.id })),
      h("option", { value: OTHER, text: "Another model…" }));
    const unknown = wanted && !models.some((model) => model.id === wanted);
    this.model.value = unknown || !models.length ? OTHER : wanted ?? models[0].id;
    if (unknown) this.otherModel.value = wanted;
    this.showFacts();
  }

  showFacts() {
    const provider = this.provider.value;
    const other = this.model.value === OTHER;
    const model = this.known().find((known) => known.id === this.model.value);
    this.otherField.hidden = !other;
    this.otherModel.required = other;
    this.baseField.hidden = provider !== "openai_compatible";
    this.baseUrl.required = provider === "openai_compatible";
    this.facts.textContent = model ? modelFacts(model) : "Any name that the provider knows works.";
    const unusable = this.providers.find((known) => known.id === provider)?.configured === false;
    this.warning.hidden = !unusable;
    this.warning.textContent = KEY_VARIABLES[provider]
      ? `No key is configured for ${PROVIDERS[provider]}. Set ${KEY_VARIABLES[provider]} where the server starts, or choose another provider.`
      : `${PROVIDERS[provider] ?? provider} is not available here; choose another provider.`;
  }

  known() {
    return this.providers.find((provider) => provider.id === this.provider.value)?.models ?? [];
  }

  values() {
    const provider = this.provider.value;
    const config = { provider, model: this.model.value === OTHER ? this.otherModel.value.trim() : this.model.value };
    const optional = {
      temperature: number(this.temperature), max_tokens: number(this.maxTokens),
      base_url: provider === "openai_compatible" ? this.baseUrl.value.trim() : null,
    };
    for (const [name, value] of Object.entries(optional)) if (value !== null || this.agent) config[name] = value;
    return {
      name: this.name.value.trim(), description: this.description.value.trim(), status: this.status.value,
      system_prompt: this.prompt.value, model_config: config,
      builtin_tools: this.tools.filter((tool) => tool.box.checked).map((tool) => tool.box.value),
    };
  }

  async submit(event) {
    event.preventDefault();
    this.save.disabled = true;
    this.problem.textContent = "";
    const values = this.values();
    try {
      const agent = this.agent ? await api.patchAgent(this.agent.id, values, this.etag) : await api.createAgent(values, this.key);
      this.outcome = { agent };
      this.dialog.close();
    } catch (error) {
      this.key = freshId();
      this.problem.textContent = error.words;
    }
    this.save.disabled = false;
  }

  async remove() {
    const text = `“${this.agent.name}” and all its conversations will be deleted. This cannot be undone.`;
    if (!(await confirmed("Delete this agent?", text, "Delete"))) return;
    try {
      await api.deleteAgent(this.agent.id);
      this.outcome = { deleted: true };
      this.dialog.close();
    } catch (error) {
      this.problem.textContent = error.words;
    }
  }
}

function field(label, input, hint) {
  return h("div", { class: "field" }, h("label", { for: input.id, text: label }), input, hint ? h("p", { class: "hint", text: hint }) : null);
}

const number = (input) => (input.value === "" ? null : Number(input.value));
