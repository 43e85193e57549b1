import type { Schemas } from "@/lib/api";

import type { Tool } from "./kinds";

export type Offer = Schemas["McpOfferOut"];

/** How a tool of a server is taken. */
export interface OfferChoice {
  readonly effect: "read" | "write";
  readonly approval: boolean;
}

/**
 * What a server says of its tool is a claim: what it does not call reading asks for approval. What is a tool already
 * stays as a person has set it.
 */
export function choiceOfOffer(offer: Offer, known?: Tool): OfferChoice {
  if (known?.kind === "mcp") return { effect: known.effect ?? "write", approval: known.requires_approval ?? false };
  return { effect: offer.effect, approval: offer.effect === "write" };
}
