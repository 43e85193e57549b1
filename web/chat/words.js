// Numbers, times and states in words.

const STOPS = {
  end_turn: "finished", stop_sequence: "stopped at a stop sequence", max_tokens: "cut off at the token limit",
  tool_use: "stopped to use a tool", content_filter: "stopped by the vendor's content filter", refusal: "the model declined",
  step_limit: "stopped at the step limit", tool_call_limit: "stopped at the limit of tool calls",
  repeated_call: "stopped: the same call again and again", token_limit: "stopped at the token limit of a run",
  time_limit: "stopped at the time limit of a run",
};

export const PROVIDERS = {
  anthropic: "Anthropic", openai: "OpenAI", google: "Google", openai_compatible: "OpenAI-compatible server",
  local: "Embedded model", scripted: "Scripted (no model)",
};

export const KEY_VARIABLES = { anthropic: "ANTHROPIC_API_KEY", openai: "OPENAI_API_KEY", google: "GEMINI_API_KEY" };

const counted = new Intl.NumberFormat("en");

/** What stands under an answer: how it ended, tokens, cost. */
export function answerLine(entry) {
  const said = [];
  if (entry.status === "cancelled") said.push("stopped");
  else if (entry.status === "completed" && entry.stopReason) said.push(STOPS[entry.stopReason] ?? entry.stopReason);
  if (entry.usage && (entry.usage.input_tokens || entry.usage.output_tokens)) {
    said.push(`${counted.format(entry.usage.input_tokens)} tokens in, ${counted.format(entry.usage.output_tokens)} out`);
    said.push(money(entry.cost));
  }
  return said.join(" · ");
}

/** A cost object in dollars. */
export function money(cost) {
  if (!cost || cost.amount_nanousd === null) return "price unknown";
  if (cost.amount_nanousd === 0) return cost.unpriced_steps ? "price unknown" : "free";
  const dollars = cost.amount_nanousd / 1e9;
  const text = `$${dollars < 0.01 ? dollars.toPrecision(2) : dollars.toFixed(dollars < 1 ? 3 : 2)}`;
  return cost.unpriced_steps ? `at least ${text}` : text;
}

/** What a model costs and holds, from the catalogue. */
export function modelFacts(model) {
  const facts = [];
  const prices = model.prices;
  if (!prices) facts.push("price unknown");
  else if (Number(prices.input) === 0 && Number(prices.output) === 0) facts.push("free");
  else facts.push(`$${prices.input} in, $${prices.output} out per million tokens`);
  if (model.context_window) facts.push(`${counted.format(model.context_window)} tokens of context`);
  if (model.capabilities && !model.capabilities.tools) facts.push("no tools");
  return facts.join(" · ");
}

/** How long ago, roughly. */
export function ago(time) {
  const minutes = Math.floor((Date.now() - Date.parse(time)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(time).toLocaleDateString("en", { month: "short", day: "numeric", year: minutes > 300 * 1440 ? "numeric" : undefined });
}
