// Reads lists of steps, one a line, and writes what the transcript looks like after each: for comparison with Python.

import { createInterface } from "node:readline";

import { EMPTY } from "../src/index.js";
import { advance, outlookOf, type TranscriptStep } from "./view.js";

for await (const line of createInterface({ input: process.stdin })) {
  let transcript = EMPTY;
  const views = (JSON.parse(line) as TranscriptStep[]).map((step) => outlookOf((transcript = advance(transcript, step))));
  process.stdout.write(`${JSON.stringify(views)}\n`);
}
