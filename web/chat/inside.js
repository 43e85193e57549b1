// What happens inside a tool call: the text of an agent that is asked there, and the calls it makes. A call inside
// another is named `<the other's id>/<its own>`; what belongs to a card that is not known is left out.

/** Frames that tell of the inside of a call. */
export const isInside = (frame) => frame.type === "tool_output_delta" || frame.parent_tool_use_id !== undefined;

/** Apply one. Text up to `offset` stands, what was behind it is replaced. */
export function applyInside(entry, frame) {
  if (frame.type === "tool_output_delta") {
    if (frame.seq < entry.seq) return;
    const card = cardAt(entry.blocks, frame.tool_use_id);
    const said = card?.output ?? "";
    const again = frame.seq === entry.seq && said.startsWith(frame.delta, frame.offset);
    if (card && !again) card.output = said.slice(0, frame.offset) + frame.delta;
  } else if (frame.type === "tool_use_start") {
    const around = cardAt(entry.blocks, frame.parent_tool_use_id);
    if (around && !cardAt(entry.blocks, frame.tool_use_id)) {
      (around.calls ??= []).push({ type: "tool", id: frame.tool_use_id, name: frame.tool_name, input: frame.input });
    }
  } else if (frame.type === "tool_use_complete") {
    const card = cardAt(entry.blocks, frame.tool_use_id);
    if (card) Object.assign(card, { result: frame.result, error: frame.error, ms: frame.duration_ms });
  }
  entry.seq = Math.max(entry.seq, frame.seq);
}

function cardAt(blocks, id) {
  for (const block of blocks) {
    if (block.type !== "tool") continue;
    if (block.id === id) return block;
    if (id.startsWith(`${block.id}/`)) return cardAt(block.calls ?? [], id);
  }
  return undefined;
}
