// Lists as people write them: one a line, or parted by commas or spaces.

export function linesOf(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** Ports of a text; undefined where something in it is none. */
export function portsOf(text: string): number[] | undefined {
  const parts = linesOf(text);
  const ports = parts.map(Number);
  return parts.every((part) => /^\d{1,5}$/.test(part)) && ports.every((port) => port >= 1 && port <= 65_535) ? ports : undefined;
}
