"use client";

import { ExternalLink, ImageIcon } from "lucide-react";
import { useTranslations } from "next-intl";
import { isValidElement, memo, useState, type ComponentProps, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import remend from "remend";

import { CodeBlock } from "./code-block";
import { Splitter, type Piece } from "./model/split";

import "./markdown.css";

const PLUGINS = [remarkGfm];

/** Text of a model. Only what has changed since the last look is made anew; raw HTML stays text. */
export const Markdown = memo(function Markdown({ text, live = false }: { text: string; live?: boolean }) {
  const [splitter] = useState(() => new Splitter());
  const pieces = splitter.split(text);
  return (
    <div className="markdown">
      {pieces.map((piece, index) => (
        <Part key={index} piece={piece} live={live && index === pieces.length - 1} />
      ))}
    </div>
  );
});

const Part = memo(
  function Part({ piece, live }: { piece: Piece; live: boolean }) {
    if (piece.kind === "code") return <CodeBlock text={piece.text} language={piece.language} live={live} />;
    if (piece.kind === "plain") return <p>{piece.text}</p>;
    return (
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
        {live ? remend(piece.text) : piece.text}
      </ReactMarkdown>
    );
  },
  (before, after) => before.live === after.live && before.piece.kind === after.piece.kind && before.piece.text === after.piece.text,
);

const COMPONENTS: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  img: ({ src, alt }) => <ForeignImage src={typeof src === "string" ? src : ""} alt={alt ?? ""} />,
  pre: ({ children }) => <Fenced>{children}</Fenced>,
  table: ({ children }) => (
    <div className="table-wrap">
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }) => <input type="checkbox" checked={checked ?? false} readOnly disabled />,
};

function SafeLink({ href, children }: { href: string | undefined; children: ReactNode }) {
  if (!href) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** To load an image tells its host who reads what, so nothing is loaded before somebody asks for it. */
function ForeignImage({ src, alt }: { src: string; alt: string }) {
  const t = useTranslations("playground.image");
  if (!src || src.startsWith("streamdown:")) return <span className="image-link">{alt}</span>;
  return (
    <a className="image-link" href={src} target="_blank" rel="noopener noreferrer nofollow">
      <ImageIcon aria-hidden />
      <span>{alt || t("untitled")}</span>
      <span className="host">{hostOf(src)}</span>
      <ExternalLink aria-label={t("open")} />
    </a>
  );
}

function hostOf(address: string): string {
  return URL.canParse(address, "https://nowhere.invalid") ? new URL(address, "https://nowhere.invalid").host.replace("nowhere.invalid", "") : "";
}

/** A block of code inside of a list or a quotation. */
function Fenced({ children }: { children: ReactNode }) {
  if (!isValidElement<ComponentProps<"code">>(children)) return <pre>{children}</pre>;
  const language = /language-(\S+)/.exec(children.props.className ?? "")?.[1] ?? "";
  return <CodeBlock text={String(children.props.children ?? "").replace(/\n$/, "")} language={language} />;
}
