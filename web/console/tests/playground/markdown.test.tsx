import { cleanup, render } from "@testing-library/react";
import { NextIntlClientProvider } from "next-intl";
import { afterEach, describe, expect, it } from "vitest";

import { Markdown } from "@/components/playground/markdown";
import { chunksOf } from "@/components/playground/model/chunks";
import words from "@/messages/en/playground.json";

afterEach(cleanup);

function shown(text: string, live = false): HTMLElement {
  const { container } = render(
    <NextIntlClientProvider locale="en" messages={{ playground: words }}>
      <Markdown text={text} live={live} />
    </NextIntlClientProvider>,
  );
  return container.querySelector<HTMLElement>(".markdown") ?? container;
}
const html = (text: string, live = false) => shown(text, live).innerHTML.replaceAll(' dir="auto"', "");

describe("Markdown", () => {
  it.each([
    ["## A *b*", "<h2>A <em>b</em></h2>"],
    ["a **b** ~~c~~ `d &lt;` \\* &amp; &copy;", "<p>a <strong>b</strong> <del>c</del> <code>d &amp;lt;</code> * &amp; ©</p>"],
    ["- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol start=\"1\"><li>c</li></ol></li></ul>"],
    ["- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
    ["3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
    ["> a\n> b", "<blockquote><p>a\nb</p></blockquote>"],
    ["***", "<hr>"],
    ["a  \nb", "<p>a<br>b</p>"],
  ])("%j", (text, expected) => expect(html(text)).toBe(expected));

  it("shows tables, with breaks in their cells, and where columns stand", () => {
    const table = shown("| a | b |\n| --- | ---: |\n| 1<br>2 | **3** |");
    expect(table.querySelectorAll("thead th, tbody td")).toHaveLength(4);
    expect(table.querySelector("td br")).not.toBeNull();
    expect(table.querySelector<HTMLElement>("td:last-child")?.style.textAlign).toBe("right");
  });

  it("lets outermost blocks take the direction of their words", () => {
    const elements = shown("# a\n\nb\n\n- c\n\n  d\n\n> e\n\n| f |\n| - |\n| g |").querySelectorAll<HTMLElement>("*");
    expect([...elements].filter(({ dir }) => dir === "auto").map(({ tagName }) => tagName.toLowerCase())).toEqual(["h1", "p", "ul", "blockquote", "table"]);
  });

  it("ticks what is done", () => {
    const boxes = shown("- [x] a\n- [ ] b").querySelectorAll<HTMLInputElement>(".contains-task-list input");
    expect([...boxes].map((box) => [box.checked, box.disabled, box.getAttribute("aria-label")])).toEqual([[true, true, "Done"], [false, true, "To do"]]);
  });

  it.each(["<img src=x onerror=alert(1)>", "a <script>alert(1)</script> b", "<b onclick=alert(1)>a</b>", "a <style>*{}</style>", "- <iframe src=x>", "| <svg onload=x> |\n| - |\n"])("shows raw HTML as text: %j", (text) => {
    const root = shown(text);
    expect(root.querySelector("img, script, b, style, iframe, svg")).toBeNull();
    expect(root.textContent).toContain("<");
  });

  it.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#x0A;script:alert(1)", "&#106;avascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x"])("leads nowhere by %j", (address) => {
    expect(shown(`[a](${address}) ![b](${address}) <${address}>`).querySelector("a[href]:not([href^='https:'])")).toBeNull();
  });

  it.each(["https://example.com/?a=1&b=2", "http://example.com", "mailto:a@example.com", "/here", "#there"])("leads to %j", (address) => {
    const link = shown(`[a](${address})`).querySelector("a");
    expect([link?.getAttribute("href"), link?.rel, link?.target]).toEqual([address, "noopener noreferrer nofollow", "_blank"]);
  });

  it("loads no image, but links to it", () => {
    const root = shown("![a *b*](https://example.com/b.png)");
    expect(root.querySelector("img")).toBeNull();
    expect(root.querySelector("a")?.textContent).toContain("example.com");
  });

  it("shows links that are defined later, also in an item that is already there", () => {
    const text = "- see [a][one]\n- and more\n\n";
    const { container, rerender } = render(<Markdown text={text} live />);
    expect(container.querySelector("a")).toBeNull();
    rerender(<Markdown text={`${text}[one]: https://example.com/1\n`} />);
    expect(container.querySelector("a")?.href).toBe("https://example.com/1");
  });

  it("closes what is still being written", () => {
    expect(html("a **b", true)).toBe("<p>a <strong>b</strong></p>");
    expect(html("a **b")).toBe("<p>a **b</p>");
    expect(shown("see [a](https://exa", true).querySelector("a")).toBeNull();
  });
});

describe("code in chunks", () => {
  const code = Array.from({ length: 25 }, (_, index) => (index % 5 === 4 ? "" : `line ${index}`)).join("\n");
  it("is the same code", () => expect(chunksOf(code, 10).join("\n")).toBe(code));
  it("has no empty line at the end of a chunk, where it would not be seen", () => expect(chunksOf(code, 10).slice(0, -1).filter((chunk) => chunk.endsWith("\n"))).toEqual([]));
  it("keeps all chunks but the last while it grows", () => {
    let before: string[] = [];
    for (let length = 1; length <= code.length; length += 1) {
      const now = chunksOf(code.slice(0, length), 3);
      expect(now.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      before = now;
    }
    expect(before.length).toBeGreaterThan(5);
  });
});
