// What happens inside a tool call: the text of an agent or a model that is asked there, and the calls it makes.
//
// A call inside another is named `<the other's id>/<its own>`. Cards are found by that, at any depth; what belongs to a
// card that is not known here is left out, since the outer call's result says what came of it.

import { begun, verdictOf, withGap, type Answer } from "./answer.js";
import { finished, isOpen, toolBlock, type ToolBlock } from "./blocks.js";
import type { ToolOutputDelta, ToolUseComplete, ToolUseStart } from "./wire.js";

type Change = (card: ToolBlock) => ToolBlock;
type Inner<Frame> = Frame & { readonly parent_tool_use_id: string };

export function isInner<Frame extends ToolUseStart | ToolUseComplete>(frame: Frame): frame is Inner<Frame> {
  return frame.parent_tool_use_id !== undefined;
}

/** The text up to `offset` stands, what was behind it is replaced. A long one comes in several frames of one `seq`. */
export function said(answer: Answer, frame: ToolOutputDelta): Answer {
  const { seq, delta, offset } = frame;
  if (seq < answer.seq) return answer;
  return changed(answer, frame, frame.tool_use_id, (card) => {
    if (seq === answer.seq && card.output.startsWith(delta, offset)) return card;
    return { ...card, output: card.output.slice(0, offset) + delta };
  });
}

/** A call inside another begins. */
export function started(answer: Answer, frame: Inner<ToolUseStart>): Answer {
  return changed(answer, frame, frame.parent_tool_use_id, (card) => {
    if (!isOpen(card) || card.calls.some((call) => call.id === frame.tool_use_id)) return card;
    const facts = { input: frame.input ?? null, stepId: frame.step_id ?? null };
    return { ...card, calls: [...card.calls, toolBlock(0, frame.tool_use_id, frame.tool_name, facts)] };
  });
}

/** A call inside another is over. */
export function completed(answer: Answer, frame: Inner<ToolUseComplete>): Answer {
  return changed(answer, frame, frame.tool_use_id, (card) => (isOpen(card) ? finished(card, frame) : card));
}

function changed(
  answer: Answer, frame: ToolUseStart | ToolUseComplete | ToolOutputDelta, id: string, change: Change,
): Answer {
  const verdict = verdictOf(answer, frame);
  if (verdict !== "take") return verdict === "gap" ? withGap(answer) : answer;
  const next = begun(answer, frame);
  const blocks = next.blocks.map((block) => (block.type === "tool" ? at(block, id, change) : block));
  return blocks.every((block, index) => block === next.blocks[index]) ? next : { ...next, blocks };
}

/** The card with one of that name inside it, or itself, changed; the same object where nothing is. */
function at(card: ToolBlock, id: string, change: Change): ToolBlock {
  if (card.id === id) return change(card);
  if (!id.startsWith(`${card.id}/`)) return card;
  const calls = card.calls.map((call) => at(call, id, change));
  return calls.every((call, index) => call === card.calls[index]) ? card : { ...card, calls };
}
