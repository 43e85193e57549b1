import type { StepKind } from "./waterfall";

/** The colour of each kind of step. What failed is red whatever it is. */
export const BAR: Record<StepKind, string> = { model: "bg-accent", tool: "bg-info", agent: "bg-good", helper: "bg-warn" };
export const INK: Record<StepKind, string> = { model: "text-accent", tool: "text-info", agent: "text-good", helper: "text-warn" };
