// Names as all vendors of models take them, and the parts of a path in braces.

export const BUILTIN_TOOLS = ["current_time", "calculator"] as const;

export function isBuiltin(name: string): boolean {
  return BUILTIN_TOOLS.some((one) => one === name);
}

export type NameFault = "empty" | "start" | "characters" | "long" | "taken" | "builtin";

/** What is wrong with a tool's name, or null. */
export function nameFault(name: string, taken: readonly string[] = []): NameFault | null {
  if (!name) return "empty";
  if (name.length > 64) return "long";
  if (!/^[A-Za-z_]/.test(name)) return "start";
  if (!/^[A-Za-z0-9_-]+$/.test(name)) return "characters";
  if (isBuiltin(name)) return "builtin";
  return taken.includes(name) ? "taken" : null;
}

/** A name made of any words: letters, digits and underscores. */
export function plainName(words: string): string {
  const plain = words
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9_]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 64);
  return /^[0-9]/.test(plain) ? `_${plain}`.slice(0, 64) : plain;
}

/** `wanted`, or with a number behind it where that is taken. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    const next = `${wanted.slice(0, 60)}_${number}`;
    if (!taken.includes(next)) return next;
  }
}

/** The names in braces of a path, each once, in order. */
export function pathNames(path: string): string[] {
  return [...new Set([...path.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? ""))];
}

/** A path in pieces: text, and names in braces. */
export function pathPieces(path: string): { text: string; name: boolean }[] {
  return path
    .split(/(\{[^{}]+\})/)
    .filter(Boolean)
    .map((piece) => (/^\{[^{}]+\}$/.test(piece) ? { text: piece.slice(1, -1), name: true } : { text: piece, name: false }));
}
