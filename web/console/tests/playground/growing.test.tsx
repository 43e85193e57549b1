import { cleanup, render } from "@testing-library/react";
import highlighter from "highlight.js/lib/core";
import { NextIntlClientProvider } from "next-intl";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Markdown } from "@/components/playground/markdown";
import words from "@/messages/en/playground.json";

const done = vi.hoisted(() => ({ parsed: 0 }));

vi.mock("marked", async (original) => {
  const marked = await original<typeof import("marked")>();
  class Counted extends marked.Lexer {
    override lex(text: string) {
      done.parsed += text.length;
      return super.lex(text);
    }
  }
  return { ...marked, Lexer: Counted };
});

const CODE = "def brew(grams):\n    return grams";
const section = (number: number) => `## Step ${number}

Water of **94 degrees**, see [the notes](https://example.com/${number}) & more.

- first *rinse*
- then pour

| Way | Minutes |
| --- | ---: |
| Filter | ${number} |
| Press | 5 |

\`\`\`python
${CODE}
\`\`\`

`;
const answer = (sections: number) => Array.from({ length: sections }, (_, index) => section(index + 1)).join("");
const STEP = 17;

/** Show a text as it grows; what is called sees the page after each step. */
function grow(text: string, look: (root: HTMLElement) => void = () => undefined) {
  const shown = (length: number, live: boolean) => (
    <NextIntlClientProvider locale="en" messages={{ playground: words }}>
      <Markdown text={text.slice(0, length)} live={live} />
    </NextIntlClientProvider>
  );
  const { container, rerender } = render(shown(0, true));
  for (let length = STEP; length < text.length; length += STEP) {
    rerender(shown(length, true));
    look(container);
  }
  rerender(shown(text.length, false));
  return container;
}

const coloured = vi.spyOn(highlighter, "highlight");
const colouredCharacters = () => coloured.mock.calls.reduce((sum, [code]) => sum + code.length, 0);

beforeEach(() => {
  done.parsed = 0;
  coloured.mockClear();
});
afterEach(cleanup);

describe("an answer that grows", { timeout: 120_000 }, () => {
  it("leaves its finished blocks alone", async () => {
    const touched: Node[] = [];
    let finished: Element[] = [];
    const within = (node: Node | null) => finished.some((block) => block.contains(node));
    const note = (records: MutationRecord[]) => touched.push(...records.map(({ target }) => target).filter(within));
    const watch = new MutationObserver(note);
    const root = grow(answer(4), (here) => {
      note(watch.takeRecords());
      // Of the last two what is written next may make something else.
      finished = [...(here.querySelector(".markdown")?.children ?? [])].slice(0, -2);
      watch.observe(here, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    note(watch.takeRecords());
    watch.disconnect();
    expect(touched.filter((node) => !(node as Element).closest?.(".code-block"))).toEqual([]);
    expect(root.querySelectorAll("h2, ul, table, figure")).toHaveLength(16);
    await vi.waitFor(() => expect(colouredCharacters()).toBe(4 * CODE.length), 30_000);
  });

  it("is parsed in proportion to its length", () => {
    grow(answer(4));
    const short = done.parsed;
    done.parsed = 0;
    grow(answer(8));
    expect(done.parsed).toBeLessThan(2.2 * short);
  });

  it("has the colours of a block once", async () => {
    grow(answer(6));
    await vi.waitFor(() => expect(colouredCharacters()).toBe(6 * CODE.length), 30_000);
  });

  it("keeps the items and rows that are there", () => {
    const items = Array.from({ length: 60 }, (_, index) => `- item *${index}* of many\n`).join("");
    const rows = `| a | b |\n| --- | --- |\n${Array.from({ length: 60 }, (_, index) => `| *${index}* | x |\n`).join("")}`;
    for (const [text, name] of [[items, "li"], [rows, "tbody tr"]] as const) {
      let first: Element | null = null;
      const root = grow(text, (here) => (first ??= here.querySelectorAll(name).length > 1 ? here.querySelector(`${name} em`) : null));
      expect(root.querySelector(`${name} em`), name).toBe(first);
      expect(root.querySelectorAll(name)).toHaveLength(60);
      cleanup();
    }
  });
});
