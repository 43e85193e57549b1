import type { Schemas } from "@/lib/api";

export type Offer = Schemas["McpOfferOut"];

/** How a tool of a server is taken. */
export interface OfferChoice {
  readonly effect: "read" | "write";
  readonly approval: boolean;
}

/** What a server says of its tool is a claim: what it does not call reading asks for approval. */
export function choiceOfOffer(offer: Offer): OfferChoice {
  return { effect: offer.effect, approval: offer.effect === "write" };
}
