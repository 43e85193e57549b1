// Compiles the playground's client (web/client) into .client, from where the console imports it.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { status } = spawnSync(process.execPath, [tsc, "-p", at("../../client/tsconfig.json"), "--outDir", at("../.client")], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
