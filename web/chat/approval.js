// What a person is asked about a tool call that waits: its arguments, which can be changed, and a yes or a no.

import { h } from "./dom.js";

const REASON_LENGTH = 500;

/**
 * The form for a block that waits. It asks by an event `decide` that bubbles: `detail` is
 * {block, decision: "approve" | "deny", input?, reason?}.
 */
export function approvalForm(block) {
  const text = JSON.stringify(block.input, null, 2);
  const whole = !isCut(block.input);
  const problem = h("p", { class: "bad", role: "alert", hidden: true });
  const field = h("textarea", {
    class: "arguments", value: text, readOnly: !whole, spellcheck: false, autocomplete: "off",
    rows: Math.min(12, text.split("\n").length), "aria-label": `Arguments of ${block.name}`,
  });
  const reason = h("input", {
    class: "reason", maxLength: REASON_LENGTH, autocomplete: "off", placeholder: "Reason, if you deny it", "aria-label": "Reason for a denial",
  });
  const ask = (detail) => form.dispatchEvent(new CustomEvent("decide", { bubbles: true, detail: { block, ...detail } }));
  const approve = () => {
    const changed = whole && field.value !== text ? parsed(field.value) : undefined;
    problem.hidden = changed !== null;
    problem.textContent = "The arguments must be a JSON object.";
    if (changed === null) field.focus();
    else ask({ decision: "approve", ...(changed === undefined ? {} : { input: changed }) });
  };
  const deny = () => ask({ decision: "deny", ...(reason.value.trim() ? { reason: reason.value.trim() } : {}) });
  const form = h("div", { class: "approval", role: "group", "aria-label": `Approval of ${block.name}` },
    h("p", {}, "The agent wants to make this call. ", h("span", { class: "muted", text: `Until ${moment(block.waits)}.` })),
    field,
    whole ? null : h("p", { class: "muted", text: "These arguments are too long to be shown whole; they cannot be changed here." }),
    problem,
    h("div", { class: "approval-actions" },
      h("button", { type: "button", class: "button primary", text: "Approve", on: { click: approve } }),
      h("button", { type: "button", class: "button danger", text: "Deny", on: { click: deny } }),
      reason));
  return form;
}

/** Let nobody decide twice, or again. */
export function shut(form, closed) {
  for (const control of form.querySelectorAll("button, input, textarea")) control.disabled = closed;
}

/** Whether arguments were cut to what a frame holds. */
const isCut = (input) => input?.truncated === true && typeof input.value === "string" && Object.keys(input).length === 2;

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

const moment = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
