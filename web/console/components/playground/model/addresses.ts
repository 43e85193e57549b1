// Where links of a model's text may lead.

const NOWHERE = "https://nowhere.invalid";
const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);
const ENTITY = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi;

/** The text with its character references (`&amp;`) as characters. */
export function decoded(text: string): string {
  return text.includes("&") ? text.replace(ENTITY, characterOf) : text;
}

function characterOf(reference: string): string {
  // A browser knows all names; within a textarea nothing is an element.
  const area = document.createElement("textarea");
  area.innerHTML = reference;
  return area.value;
}

/** An address that is safe to follow, as the browser would understand it; null for others, `javascript:` first of all. */
export function addressOf(href: string): string | null {
  const address = decoded(href);
  if (!address || !URL.canParse(address, NOWHERE)) return null;
  return SCHEMES.has(new URL(address, NOWHERE).protocol) ? address : null;
}

/** Whose address it is; empty for those of this page's own host. */
export function hostOf(address: string): string {
  const { host, origin } = new URL(address, NOWHERE);
  return origin === NOWHERE ? "" : host;
}
