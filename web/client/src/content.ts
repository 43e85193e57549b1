// What can be said at all; the server would refuse the rest.

import { InvalidContent, TooLarge } from "./errors.js";

export const FRAME_LIMIT = 32 * 1024;
const ROOM = 512; // what a frame needs beside its content

/** Throws InvalidContent or TooLarge for what the server could only refuse. */
export function checkContent(content: string): void {
  if (!content.trim()) throw new InvalidContent("The message is empty.");
  if (content.includes("\0") || /\p{Surrogate}/u.test(content)) {
    throw new InvalidContent("The message holds a NUL or half a surrogate pair.");
  }
  if (new TextEncoder().encode(JSON.stringify(content)).length > FRAME_LIMIT - ROOM) {
    throw new TooLarge("The message is longer than the 32 KB that fit into a frame; send it in pieces.");
  }
}
