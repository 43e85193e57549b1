// Light formatting of a model's text: paragraphs, code, headings, emphasis. It makes elements with text in them and
// nothing else, so whatever a model writes stays text. Only what changed is made anew, since text arrives in pieces.

import { h, icon } from "./dom.js";

const FENCE = /^(```+|~~~+)([^`]*)$/;
const HEADING = /^(#{1,4})\s+(.*)$/;
const INLINE = /(`[^`\n]+`|\*\*[^*\n]+\*\*)/;

/** Show `text` inside `container`; call it again with longer text and it goes on from there. */
export function showText(container, text) {
  const wanted = segments(text);
  const shown = container.segments ?? [];
  wanted.forEach((segment, index) => {
    const before = shown[index];
    if (before && before.kind === segment.kind && before.text === segment.text && before.info === segment.info) {
      segment.node = before.node;
    } else if (before && before.kind === "code" && segment.kind === "code" && before.info === segment.info) {
      segment.node = before.node;
      segment.node.querySelector("code").textContent = segment.text;
    } else {
      segment.node = element(segment);
      if (before) before.node.replaceWith(segment.node);
      else container.append(segment.node);
    }
  });
  for (const extra of shown.slice(wanted.length)) extra.node.remove();
  container.segments = wanted;
}

/** Split into paragraphs, headings and fenced code; a fence that is still open is code already. */
export function segments(text) {
  const found = [];
  let lines = [];
  let fence = null;
  const flush = () => {
    const paragraph = lines.join("\n");
    if (paragraph.trim()) found.push({ kind: "paragraph", text: paragraph });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const mark = line.trim().match(FENCE);
    if (fence) {
      if (mark && mark[1].startsWith(fence.mark) && !mark[2].trim()) {
        found.push({ kind: "code", text: fence.lines.join("\n"), info: fence.info });
        fence = null;
      } else fence.lines.push(line);
    } else if (mark) {
      flush();
      fence = { mark: mark[1], info: mark[2].trim(), lines: [] };
    } else if (HEADING.test(line)) {
      flush();
      const [, marks, title] = line.match(HEADING);
      found.push({ kind: "heading", text: title, info: String(marks.length) });
    } else if (line.trim() === "") flush();
    else lines.push(line);
  }
  if (fence) found.push({ kind: "code", text: fence.lines.join("\n"), info: fence.info });
  flush();
  return found;
}

function element({ kind, text, info }) {
  if (kind === "code") return codeBlock(text, info);
  if (kind === "heading") return h("p", { class: "heading", role: "heading", "aria-level": "2" }, inline(text));
  return h("p", {}, inline(text));
}

function inline(text) {
  return text.split(INLINE).filter(Boolean).map((piece) => {
    if (piece.length > 2 && piece.startsWith("`") && piece.endsWith("`")) return h("code", { text: piece.slice(1, -1) });
    if (piece.length > 4 && piece.startsWith("**") && piece.endsWith("**")) return h("strong", { text: piece.slice(2, -2) });
    return piece;
  });
}

function codeBlock(text, info) {
  const code = h("code", { text });
  return h("div", { class: "code" },
    h("div", { class: "code-head" }, h("span", { text: info || "code" }), copyButton("Copy the code", () => code.textContent)),
    h("pre", { tabIndex: 0 }, code));
}

/** A button that copies what `read` returns, and says so. */
export function copyButton(label, read) {
  const button = h("button", { type: "button", class: "icon-button copy", "aria-label": label, title: label }, icon("copy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(read());
    } catch {
      return;
    }
    button.replaceChildren(icon("check"));
    button.setAttribute("aria-label", "Copied");
    setTimeout(() => {
      button.replaceChildren(icon("copy"));
      button.setAttribute("aria-label", label);
    }, 1500);
  });
  return button;
}
