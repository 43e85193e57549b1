// Markdown in pieces that are rendered one by one: while an answer grows only its last piece changes.

import { Lexer, type Token } from "marked";

export type Piece =
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  | { readonly kind: "plain"; readonly text: string }
  | { readonly kind: "markdown"; readonly text: string; readonly definitions: string };

/** Paragraphs in which nothing can be markup; they need no parser. */
const PLAIN = /^(?!.*\bwww\.)[^\\*_`~[\]<>&|@:/\n]+\n*$/i;

interface Placed {
  readonly start: number;
  readonly piece: Piece | null;
  /** Where a link leads that other pieces name. */
  readonly definition: string;
}

/** Splits a text that grows; what has not changed stays the same object. */
export class Splitter {
  private text = "";
  private placed: Placed[] = [];
  private pieces: readonly Piece[] = [];

  split(given: string): readonly Piece[] {
    const text = given.replace(/\r\n?/g, "\n");
    if (text === this.text) return this.pieces;
    // More text can change the last block, and the one before where only blank lines stand between.
    const kept = text.startsWith(this.text) ? this.placed.slice(0, this.settled()) : [];
    const start = this.placed[kept.length]?.start ?? 0;
    this.placed = [...kept, ...placed(text, kept.length ? start : 0)];
    this.text = text;
    const definitions = this.placed.map(({ definition }) => definition).join("");
    this.pieces = this.placed.flatMap(({ piece }) => (piece ? [defined(piece, definitions)] : []));
    return this.pieces;
  }

  private settled(): number {
    let left = 2;
    let index = this.placed.length;
    while (index > 0 && left > 0) {
      index -= 1;
      if (this.placed[index]?.piece) left -= 1;
    }
    return index;
  }
}

function placed(text: string, from: number): Placed[] {
  const tokens = lex(text.slice(from));
  let start = from;
  return tokens.map((token) => {
    const here = { start, piece: pieceOf(token), definition: token.type === "def" ? `${token.raw}\n` : "" };
    start += token.raw.length;
    return here;
  });
}

const lex = (text: string): readonly Token[] => new Lexer({ gfm: true }).lex(text);

/** What the parser has found in a piece, or in the text that is shown in its place. */
export function lexed(piece: Piece, text: string): readonly Token[] {
  const known = found.get(piece);
  return known && text === piece.text ? [known] : lex(text);
}

const found = new WeakMap<Piece, Token>();

function pieceOf(token: Token): Piece | null {
  if (token.type === "space" || token.type === "def") return null;
  if (token.type === "code") {
    const language = "lang" in token && typeof token.lang === "string" ? (token.lang.split(/\s/)[0] ?? "") : "";
    return { kind: "code", text: "text" in token ? String(token.text) : token.raw, language };
  }
  // Raw HTML is shown as the text that it is.
  if (token.type === "html") return { kind: "plain", text: token.raw.trim() };
  if (token.type === "paragraph" && PLAIN.test(token.raw)) return { kind: "plain", text: token.raw.trim() };
  const piece: Piece = { kind: "markdown", text: token.raw, definitions: "" };
  found.set(piece, token);
  return piece;
}

const withDefinitions = new WeakMap<Piece, { readonly definitions: string; readonly piece: Piece }>();

/** A piece that names links, with where they lead. */
function defined(piece: Piece, definitions: string): Piece {
  if (!definitions || piece.kind !== "markdown" || !piece.text.includes("[")) return piece;
  const known = withDefinitions.get(piece);
  if (known?.definitions === definitions) return known.piece;
  const fresh: Piece = { kind: "markdown", text: `${piece.text}\n\n${definitions}`, definitions };
  withDefinitions.set(piece, { definitions, piece: fresh });
  return fresh;
}
