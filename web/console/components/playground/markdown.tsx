"use client";

import { memo, useMemo, useState } from "react";
import remend from "remend";

import { CodeBlock } from "./code-block";
import { Blocks } from "./markdown-blocks";
import { lexed, Splitter, type Piece } from "./model/split";

import "./markdown.css";

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
    if (piece.kind === "plain") return <p dir="auto">{piece.text}</p>;
    // Where links lead is no part of an item's text, by which it is known to be the same.
    return <Formatted key={piece.definitions} piece={piece} live={live} />;
  },
  (before, after) => before.live === after.live && before.piece.kind === after.piece.kind && before.piece.text === after.piece.text,
);

function Formatted({ piece, live }: { piece: Piece & { readonly kind: "markdown" }; live: boolean }) {
  // What is not closed yet is shown as if it were.
  const tokens = useMemo(() => lexed(piece, live ? remend(piece.text) : piece.text), [piece, live]);
  return <Blocks tokens={tokens} live={live} />;
}
