"use client";

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, linter } from "@codemirror/lint";
import { Annotation, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers, placeholder as placeholderOf } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { flushSync } from "react-dom";

import { useFieldIds } from "./field";
import { useLock } from "./lock";

export interface CodeEditorProps {
  value: string;
  onChange?: (value: string) => void;
  label: string;
  readOnly?: boolean;
  placeholder?: string;
  /** CSS height limits, such as "20rem". */
  minHeight?: string;
  maxHeight?: string;
}

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent-ink)" },
  { tag: tags.string, color: "var(--info)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.punctuation, color: "var(--ink-faint)" },
]);

function look(minHeight: string, maxHeight: string) {
  return EditorView.theme({
    "&": { fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--ink)", borderRadius: "8px", border: "1px solid var(--line-strong)" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "0" },
    ".cm-scroller": { fontFamily: "var(--font-geist-mono), ui-monospace, monospace", minHeight, maxHeight, overflow: "auto" },
    ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    ".cm-gutters": { backgroundColor: "transparent", color: "var(--ink-faint)", border: "none" },
    "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)" },
    ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "8px" },
  });
}

/** Ids mean nothing across the border of a shadow root; elements do. */
function describe(element: HTMLElement, ids: readonly string[]): void {
  if ("ariaDescribedByElements" in element) element.ariaDescribedByElements = ids.flatMap((one) => document.getElementById(one) ?? []);
}

/** Marks a change that came from outside. */
const GIVEN = Annotation.define<boolean>();

/** What is selected in the page: what the editor knows of it may be a moment old. Shadow roots have a selection of their own in Chromium. */
function selected(view: EditorView): { from: number; to: number } {
  const root = view.root as { getSelection?: () => Selection | null };
  const { anchorNode, anchorOffset, focusNode, focusOffset } = root.getSelection?.() ?? { anchorNode: null, anchorOffset: 0, focusNode: null, focusOffset: 0 };
  if (!anchorNode || !focusNode || !view.contentDOM.contains(anchorNode) || !view.contentDOM.contains(focusNode)) return view.state.selection.main;
  const ends = [view.posAtDOM(anchorNode, anchorOffset), view.posAtDOM(focusNode, focusOffset)];
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

/** A browser that types by itself keeps the look of what it replaces by inline styles, which the Content-Security-Policy refuses. */
const TYPED = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { inputType, data, isComposing } = event as InputEvent;
    if (inputType !== "insertText" || data === null || isComposing || view.composing || view.state.readOnly) return false;
    const { from, to } = selected(view);
    const insert = view.state.toText(data);
    view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.type", scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});

export default function CodeEditorInside({ value, onChange, label, readOnly = false, placeholder = "", minHeight = "8rem", maxHeight = "24rem" }: CodeEditorProps) {
  const locked = useLock() || readOnly;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const told = useRef(onChange);
  const first = useRef(value);
  const echoes = useRef<string[]>([]);
  const { "aria-describedby": describedBy } = useFieldIds();
  useEffect(() => {
    told.current = onChange;
  }, [onChange]);
  useEffect(() => {
    if (!host.current) return;
    // In a shadow root the editor's styles are sheets made by script. In the page they would be a style element, which
    // the Content-Security-Policy refuses.
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          TYPED,
          json(),
          syntaxHighlighting(COLOURS),
          ...(locked ? [] : [linter((one) => (one.state.doc.length ? jsonParseLinter()(one) : [])), lintGutter()]),
          placeholderOf(placeholder),
          EditorState.readOnly.of(locked),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          look(minHeight, maxHeight),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged || update.transactions.some((one) => one.annotation(GIVEN))) return;
            const text = update.state.doc.toString();
            echoes.current.push(text);
            // React takes what happens in a shadow root for no event of a person's, and would render it some time later:
            // keys that follow at once, as those that save, would find what was there before.
            queueMicrotask(() => flushSync(() => told.current?.(text)));
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, maxHeight, minHeight, placeholder, locked]);
  useEffect(() => {
    // They come and go while somebody types.
    if (view.current) describe(view.current.contentDOM, describedBy?.split(" ") ?? []);
  }, [describedBy, label, maxHeight, minHeight, placeholder, locked]);
  useEffect(() => {
    first.current = value;
    // What was typed comes back while one types on; only what others made of it replaces it.
    const echo = echoes.current.lastIndexOf(value);
    echoes.current.splice(0, echo < 0 ? Infinity : echo + 1);
    const editor = view.current;
    if (echo >= 0 || !editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, annotations: GIVEN.of(true) });
  }, [value]);
  return <div ref={host} />;
}
