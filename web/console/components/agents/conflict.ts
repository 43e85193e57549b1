// Two people changed one agent: what differs, and what comes of choosing.

import { FIELDS, same, type Field, type Values } from "./values";

export type Side = "mine" | "theirs";

export interface Difference {
  readonly field: Field;
  /** Both changed it, differently: nobody but a person can say which holds. */
  readonly both: boolean;
  /** What holds unless chosen otherwise. */
  readonly side: Side;
}

/** The fields in which mine and theirs differ, with who changed them since `base`. */
export function differences(base: Values, mine: Values, theirs: Values): Difference[] {
  return FIELDS.filter((field) => !same(mine[field], theirs[field])).map((field) => {
    const byMe = !same(base[field], mine[field]);
    const byThem = !same(base[field], theirs[field]);
    return { field, both: byMe && byThem, side: byMe ? "mine" : "theirs" };
  });
}

/** Theirs, with what was chosen of mine. */
export function chosen(mine: Values, theirs: Values, sides: ReadonlyMap<Field, Side>): Values {
  const taken = [...sides].filter(([, side]) => side === "mine").map(([field]) => [field, mine[field]]);
  return { ...theirs, ...Object.fromEntries(taken) };
}
