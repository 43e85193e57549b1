// What the API says is wrong with a form: by the place in the body.

import { asApiError } from "@/lib/errors";

export type Faults = ReadonlyMap<string, string>;

export const NO_FAULTS: Faults = new Map();

export function faultsOf(error: unknown): Faults {
  return new Map(asApiError(error).fields.map(({ field, message }) => [field, message]));
}

/** The faults that are not at these fields, or below them. */
export function without(faults: Faults, fields: ReadonlySet<string>): Faults {
  return new Map([...faults].filter(([place]) => !fields.has(place.split(".")[0] ?? place)));
}

/** The fault at a place, or the first one below it. */
export function faultBelow(faults: Faults, place: string): string | undefined {
  for (const [field, message] of faults) if (field === place || field.startsWith(`${place}.`)) return message;
  return undefined;
}
