"use client";

// What marked has found in a text, as elements. Raw HTML stays text, links lead to harmless places only.

import type { MarkedToken, Token, Tokens } from "marked";
import { ExternalLink, ImageIcon } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo, type ReactNode } from "react";

import { CodeBlock } from "./code-block";
import { addressOf, decoded, hostOf } from "./model/addresses";

const BREAK = /^<br\s*\/?>$/i;

/** Outermost blocks take the direction of their first letter; what is inside of them goes the same way. */
type Dir = "auto" | undefined;

/** Blocks, one below the other. `live`: the last of them still grows. `inner`: they are inside of one. */
export function Blocks({ tokens, live, loose = true, inner = false }: { tokens: readonly Token[]; live: boolean; loose?: boolean; inner?: boolean }): ReactNode {
  return (tokens as readonly MarkedToken[]).map((token, index) => <Block key={index} token={token} live={live && index === tokens.length - 1} loose={loose} dir={inner ? undefined : "auto"} />);
}

function Block({ token, live, loose, dir }: { token: MarkedToken; live: boolean; loose: boolean; dir: Dir }): ReactNode {
  switch (token.type) {
    case "heading": {
      const Heading = `h${Math.min(6, token.depth)}` as "h1";
      return <Heading dir={dir}>{inline(token.tokens)}</Heading>;
    }
    case "paragraph":
      return <p dir={dir}>{inline(token.tokens)}</p>;
    case "text": {
      const words = token.tokens ? inline(token.tokens) : decoded(token.text);
      return loose ? <p dir={dir}>{words}</p> : words;
    }
    case "list":
      return <List list={token} live={live} dir={dir} />;
    case "table":
      return <Table table={token} dir={dir} />;
    case "blockquote":
      return (
        <blockquote dir={dir}>
          <Blocks tokens={token.tokens} live={live} inner />
        </blockquote>
      );
    case "code":
      return <CodeBlock text={token.text} language={token.lang?.split(/\s/)[0] ?? ""} live={live} />;
    case "hr":
      return <hr />;
    case "html":
      return <p dir={dir}>{token.raw.trim()}</p>;
    default:
      return null;
  }
}

function List({ list, live, dir }: { list: Tokens.List; live: boolean; dir: Dir }) {
  const items = list.items.map((item, index) => <Item key={index} item={item} live={live && index === list.items.length - 1} />);
  if (list.ordered) return <ol dir={dir} start={list.start === "" ? undefined : list.start}>{items}</ol>;
  return <ul dir={dir} className={list.items.some(({ task }) => task) ? "contains-task-list" : undefined}>{items}</ul>;
}

const Item = memo(
  function Item({ item, live }: { item: Tokens.ListItem; live: boolean }) {
    return (
      <li>
        {item.task ? <TaskBox done={item.checked ?? false} /> : null}
        <Blocks tokens={item.tokens} live={live} loose={item.loose} inner />
      </li>
    );
  },
  (before, after) => before.live === after.live && before.item.raw === after.item.raw && before.item.loose === after.item.loose,
);

function TaskBox({ done }: { done: boolean }) {
  const t = useTranslations("playground.task");
  return <input type="checkbox" aria-label={t(done ? "done" : "open")} checked={done} readOnly disabled />;
}

function Table({ table, dir }: { table: Tokens.Table; dir: Dir }) {
  return (
    <div className="table-wrap">
      <table dir={dir}>
        <thead>
          <Row cells={table.header} as="th" />
        </thead>
        {table.rows.length > 0 ? (
          <tbody>
            {table.rows.map((cells, index) => (
              <Row key={index} cells={cells} as="td" />
            ))}
          </tbody>
        ) : null}
      </table>
    </div>
  );
}

const Row = memo(
  function Row({ cells, as: Cell }: { cells: readonly Tokens.TableCell[]; as: "th" | "td" }) {
    return (
      <tr>
        {cells.map(({ tokens, align }, index) => (
          <Cell key={index} style={align ? { textAlign: align } : undefined}>
            {inline(tokens)}
          </Cell>
        ))}
      </tr>
    );
  },
  (before, after) => before.cells.length === after.cells.length && before.cells.every(({ text, align }, index) => text === after.cells[index]?.text && align === after.cells[index]?.align),
);

function inline(tokens: readonly Token[]): ReactNode[] {
  return (tokens as readonly MarkedToken[]).map((token, index) => inlineOf(token, index));
}

function inlineOf(token: MarkedToken, key: number): ReactNode {
  switch (token.type) {
    case "text":
      return token.tokens ? inline(token.tokens) : decoded(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong key={key}>{inline(token.tokens)}</strong>;
    case "em":
      return <em key={key}>{inline(token.tokens)}</em>;
    case "del":
      return <del key={key}>{inline(token.tokens)}</del>;
    case "codespan":
      return <code key={key}>{token.text}</code>;
    case "br":
      return <br key={key} />;
    case "link":
      return (
        <SafeLink key={key} href={token.href}>
          {inline(token.tokens)}
        </SafeLink>
      );
    case "image":
      return <ForeignImage key={key} src={token.href} alt={decoded(token.text)} />;
    case "html":
      return BREAK.test(token.raw) ? <br key={key} /> : token.raw;
    default:
      return token.raw;
  }
}

function SafeLink({ href, children }: { href: string; children: ReactNode }) {
  const address = addressOf(href);
  if (address === null) return <span>{children}</span>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** To load an image tells its host who reads what, so nothing is loaded before somebody asks for it. */
function ForeignImage({ src, alt }: { src: string; alt: string }) {
  const t = useTranslations("playground.image");
  const address = addressOf(src);
  if (address === null) return <span className="image-link">{alt}</span>;
  return (
    <a className="image-link" href={address} target="_blank" rel="noopener noreferrer nofollow">
      <ImageIcon aria-hidden />
      <span>{alt || t("untitled")}</span>
      <span className="host">{hostOf(address)}</span>
      <ExternalLink aria-label={t("open")} />
    </a>
  );
}
