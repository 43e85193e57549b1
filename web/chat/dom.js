// Small helpers to build elements. Text only ever becomes a text node: nothing here parses HTML.

/**
 * Make an element. `props` may hold class, text, on (listeners), data; anything else becomes a property
 * where the element has one of that name, else an attribute. Null and false children are left out.
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The element with this id, which is known to exist. */
export function byId(id) {
  return document.getElementById(id);
}

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  edit: "M4 20h4L19 9l-4-4L4 16v4M13.500 6.500l4 4",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10.500 11v5M13.500 11v5",
  copy: "M9 9h10v10H9zM5 15V5h10",
  check: "M5 13l4 4L19 7",
};

/** An icon that follows the text's colour and is hidden from screen readers. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows only an icon; `label` is what it is called. */
export function iconButton(name, label, onClick) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: onClick } }, icon(name));
}

/** Say something for a few seconds at the edge of the page. */
export function toast(text, kind = "info") {
  const node = h("div", { class: `toast ${kind}`, text });
  byId("toasts").append(node);
  setTimeout(() => node.remove(), kind === "error" ? 9000 : 4000);
}

/** Show a modal dialog; resolves with its return value ("" when it was dismissed). */
export function ask(dialog) {
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue);
      dialog.remove();
    });
    dialog.showModal();
  });
}

/** Ask for a yes; resolves to true or false. The safe answer has the focus. */
export async function confirmed(title, text, action) {
  const dialog = h("dialog", { class: "dialog small", "aria-label": title },
    h("h2", { text: title }),
    h("p", { text }),
    h("div", { class: "dialog-actions" },
      h("button", { type: "button", class: "button", text: "Cancel", autofocus: true, on: { click: () => dialog.close("") } }),
      h("button", { type: "button", class: "button danger solid", text: action, on: { click: () => dialog.close("yes") } })));
  return (await ask(dialog)) === "yes";
}

/** Ask for one line of text; resolves to it, or to null when dismissed. */
export async function asked(title, label, value, action) {
  const input = h("input", { id: "asked", value, maxLength: 200, required: true, autocomplete: "off" });
  const dialog = h("dialog", { class: "dialog small", "aria-label": title },
    h("form", { on: { submit: (event) => { event.preventDefault(); dialog.close("yes"); } } },
      h("h2", { text: title }),
      h("label", { for: "asked", text: label }),
      input,
      h("div", { class: "dialog-actions" },
        h("button", { type: "button", class: "button", text: "Cancel", on: { click: () => dialog.close("") } }),
        h("button", { type: "submit", class: "button primary", text: action }))));
  input.select();
  return (await ask(dialog)) === "yes" ? input.value.trim() : null;
}
