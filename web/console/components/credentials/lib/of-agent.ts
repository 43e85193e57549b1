import type { Schemas } from "@/lib/api";

import type { Credential } from "./draft";

export interface Use {
  readonly id: string;
  readonly name: string;
  readonly kind: "tool" | "integration";
}

export interface Needed {
  readonly id: string;
  /** Undefined where it is gone. */
  readonly credential: Credential | undefined;
  readonly uses: readonly Use[];
}

/** The credentials that an agent's tools and integrations name, those that cannot be used first. */
export function neededBy(tools: readonly Schemas["ToolOut"][], integrations: readonly Schemas["IntegrationOut"][], credentials: readonly Credential[]): Needed[] {
  const uses = new Map<string, Use[]>();
  const note = (credential: string | null | undefined, use: Use) => {
    if (credential) uses.set(credential, [...(uses.get(credential) ?? []), use]);
  };
  for (const { id, name, credential_id } of integrations) note(credential_id, { id, name, kind: "integration" });
  for (const tool of tools) if (tool.kind === "http") note(tool.credential_id, { id: tool.id, name: tool.name, kind: "tool" });
  const rank = ({ credential }: Needed) => (!credential ? 0 : credential.status === "ready" ? 2 : 1);
  return [...uses]
    .map(([id, list]) => ({ id, credential: credentials.find((one) => one.id === id), uses: list }))
    .sort((one, other) => rank(one) - rank(other));
}
