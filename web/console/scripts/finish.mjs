// After the export: gives every page its policy, removes what nobody serves, writes compressed copies for the laptop.

import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { withPolicy } from "./csp.mjs";

const out = fileURLToPath(new URL("../out", import.meta.url));
const COMPRESSED = new Set([".html", ".js", ".css", ".txt", ".svg", ".json"]);

// Next's own page for what is missing; ours is app/[locale]/not-found.
for (const name of ["404", "404.html", "_not-found"]) await rm(join(out, name), { recursive: true, force: true });

const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
for (const entry of files) {
  const file = join(entry.parentPath ?? entry.path, entry.name);
  const kind = extname(file);
  if (kind === ".html") await writeFile(file, withPolicy(await readFile(file, "utf8")));
  // Pages are sent with the issuer's origin put in, so a copy would be another text.
  if (COMPRESSED.has(kind) && kind !== ".html") await writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: 9 }));
}
