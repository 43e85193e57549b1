const LINES = 40;

/** A text in chunks of whole lines, each to be shown as a block. While the text grows all but the last stay the same. */
export function chunksOf(text: string, lines = LINES): string[] {
  const chunks: string[] = [];
  let begin = 0;
  let count = 0;
  let from = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
    count += 1;
    // A block does not show an empty line at its end.
    if (count >= lines && end > from && end + 1 < text.length) {
      chunks.push(text.slice(begin, end));
      begin = end + 1;
      count = 0;
    }
    from = end + 1;
  }
  return [...chunks, text.slice(begin)];
}
