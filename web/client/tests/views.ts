// Reads lists of frames, one a line, and writes what the transcript looks like after each: for comparison with Python.

import { createInterface } from "node:readline";

import { EMPTY, reduce, type ServerFrame } from "../src/index.js";
import { viewOf } from "./view.js";

for await (const line of createInterface({ input: process.stdin })) {
  let transcript = EMPTY;
  const views = (JSON.parse(line) as ServerFrame[]).map((frame) => viewOf((transcript = reduce(transcript, frame))));
  process.stdout.write(`${JSON.stringify(views)}\n`);
}
