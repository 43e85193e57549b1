// Where a description comes from, as a person gives it.

import { objectOf } from "../lib/json";

export type Source = "url" | "text";

export interface SourceDraft {
  readonly source: Source;
  readonly url: string;
  readonly text: string;
  readonly credential: string | null;
}

export const NO_SOURCE: SourceDraft = { source: "url", url: "", text: "", credential: null };

/** Bodies hold a mebibyte; a description as a text in JSON grows by each of its quotes and line breaks. */
const LARGE = 900_000;

/** What is asked of the API. A large JSON goes as the JSON that it is, which takes less room. */
export function givenOf({ source, url, text, credential }: SourceDraft): { url: string; credential_id?: string } | { document: string | Record<string, never> } {
  if (source === "url") return { url: url.trim(), ...(credential ? { credential_id: credential } : {}) };
  const whole = text.length > LARGE ? objectOf(text) : null;
  return { document: whole ? (whole as Record<string, never>) : text };
}
