// The words of each locale, one file per part of the console. A page carries only the parts that it names.

import type common from "../messages/en/common.json";
import type agents from "../messages/en/agents.json";
import type playground from "../messages/en/playground.json";
import type settings from "../messages/en/settings.json";
import type tools from "../messages/en/tools.json";
import type traces from "../messages/en/traces.json";

export interface Messages {
  common: typeof common;
  agents: typeof agents;
  playground: typeof playground;
  settings: typeof settings;
  tools: typeof tools;
  traces: typeof traces;
}

export type Namespace = keyof Messages;

export const NAMESPACES: readonly Namespace[] = ["common", "agents", "playground", "settings", "tools", "traces"];

export async function loadMessages(locale: string, namespaces: readonly Namespace[] = NAMESPACES): Promise<Messages> {
  const parts = namespaces.map(async (name) => {
    const file: { default: unknown } = await import(`../messages/${locale}/${name}.json`);
    return [name, file.default];
  });
  return Object.fromEntries(await Promise.all(parts)) as Messages;
}
