// The Content-Security-Policy of a page: its own scripts by their hashes, nothing inline beside them, nothing evaluated.
// Deployment and laptop put the issuer's origin behind `connect-src 'self'`; what only a header can say they send as one.

import { createHash } from "node:crypto";

// Style elements that libraries make in the browser. Their text never changes with what is shown, so a hash lets them
// in; a browser test fails, naming the new hash, when a library changed its own.
const STYLES = {
  "an empty element, filled afterwards (sonner)": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  "how toasts look (sonner)": "sha256-StEaX+se6YS7pqjzrzMIA0KaX9zF/8zAhvQXZAe5epY=",
  "the switch between themes without transitions (next-themes)": "sha256-skqujXORqzxt1aE0NNXxujEanPTX6raoqSscTV/Ww/Y=",
  "no scrolling behind dialogs (react-remove-scroll)": "sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo=",
};

/** The inline scripts of a page. */
export function inlineScripts(html) {
  return [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map((found) => found[1]);
}

export function hashOf(text) {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** The policy of a page with these inline scripts. */
export function policy(scripts, styles = Object.values(STYLES)) {
  const hashes = (list) => list.map((one) => ` '${one}'`).join("");
  return [
    "default-src 'none'",
    `script-src 'self'${hashes([...new Set(scripts.map(hashOf))])}`,
    `style-src 'self'${hashes(styles)}`,
    "img-src 'self' data: https:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** The page with its policy, behind the declaration of its characters, which must come first. */
export function withPolicy(html) {
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy(inlineScripts(html))}"/>`;
  const found = html.match(/<meta charset="[^"]*"\/?>/i);
  if (!found) throw new Error("A page without a declaration of its characters.");
  const at = found.index + found[0].length;
  const before = html.slice(0, at);
  if (/<script(?![^>]*\ssrc=)/.test(before)) throw new Error("An inline script stands before the policy.");
  return before + meta + html.slice(at);
}
