// Builds the console into out/: the client, Next's static export, then what finish.mjs adds to it.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
const folder = fileURLToPath(new URL("..", import.meta.url));

function run(...command) {
  const { status } = spawnSync(process.execPath, command, {
    cwd: folder,
    stdio: "inherit",
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
  });
  if (status !== 0) process.exit(status ?? 1);
}

// The cache keeps transforms that failed, and what was deleted would stay in the export. A server for development that
// runs meanwhile keeps its own.
const kept = existsSync(`${folder}/.next`) ? readdirSync(`${folder}/.next`).filter((name) => name !== "dev") : [];
for (const made of [...kept.map((name) => `.next/${name}`), "out"]) rmSync(`${folder}/${made}`, { recursive: true, force: true });
run("scripts/client.mjs");
run(next, "build");
run("scripts/finish.mjs");
