import { describe, expect, it } from "vitest";

import { Splitter, type Piece } from "@/components/playground/model/split";

const whole = (text: string) => new Splitter().split(text);
const kinds = (pieces: readonly Piece[]) => pieces.map(({ kind }) => kind);

const ANSWER = `# Coffee

Here is **how**, in three ways.

1. Filter
   - paper

   More of the first.
2. Press

| a | b |
| --- | --- |
| 1 | 2 |

\`\`\`python
print("1")

print("2")
\`\`\`

Plain words, nothing else.

Setext
---

> Quoted
still quoted

<b>raw</b>

See [here][one] and [there].

[one]: https://example.com/1
[there]: https://example.com/2
`;

describe("splitting", () => {
  it("tells code, plain paragraphs and the rest apart", () => {
    expect(whole("One two.\n\n```js\nlet a;\n```\n\n*three*")).toEqual([
      { kind: "plain", text: "One two." },
      { kind: "code", text: "let a;", language: "js" },
      { kind: "markdown", text: "*three*", definitions: "" },
    ]);
  });

  it("shows raw HTML as text", () => expect(whole("<script>alert(1)</script>\n")).toEqual([{ kind: "plain", text: "<script>alert(1)</script>" }]));

  it.each(["a_b_c", "1 < 2", "see www.example.com", "me@example.com", "a\nb", "x ~~y~~", "a\\*b", "&amp;"])("gives %j to the parser", (text) => {
    expect(kinds(whole(text))).toEqual(["markdown"]);
  });

  it("lets pieces find where their links lead", () => {
    const [piece] = whole("See [x][one].\n\n[one]: https://example.com/\n");
    expect(piece?.text).toMatch(/^See \[x\]\[one\]\.\n\n\[one\]: https:\/\/example\.com\/\n/);
  });

  it("comes to the same at every length, whatever came before", () => {
    for (const step of [1, 13]) {
      const growing = new Splitter();
      for (let length = step; length < ANSWER.length + step; length += step) {
        const text = ANSWER.slice(0, length);
        expect(growing.split(text), text.slice(-40)).toEqual(whole(text));
      }
    }
  });

  it("keeps what has not changed", () => {
    const splitter = new Splitter();
    const text = "First *one*.\n\nSecond.\n\nThird.\n\nFourth";
    const before = splitter.split(text);
    const after = splitter.split(`${text} goes on.`);
    expect(after.slice(0, 2).map((piece, index) => piece === before[index])).toEqual([true, true]);
    expect(splitter.split(`${text} goes on.`)).toBe(after);
  });

  it("begins anew where the text was taken back", () => {
    const splitter = new Splitter();
    splitter.split("Something *long*.\n\nAnd more.");
    expect(splitter.split("Other")).toEqual([{ kind: "plain", text: "Other" }]);
    expect(splitter.split("")).toEqual([]);
  });
});
