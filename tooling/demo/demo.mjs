// The main job, for real: an old data folder is migrated, and its models are worked with.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { writeOldDataFolder } from "./old-data-folder.mjs";

const apps = fileURLToPath(new URL("../../apps/", import.meta.url));
const bins = {
  cortex: join(apps, "cli/bin/cortex.cjs"),
  "cortex-server": join(apps, "hono-server/bin/cortex-server.mjs"),
  "cortex-migrate": join(apps, "legacy-migrator/bin/cortex-migrate.cjs"),
};
const folder = mkdtempSync(join(tmpdir(), "cortex-demo-"));
const home = join(folder, "home");
const old = join(home, "cortexcpp");
const env = {
  ...process.env,
  HOME: home,
  USERPROFILE: home,
  CORTEX_HOME: join(folder, "cortex"),
  CORTEX_DB: "",
};

const count = writeOldDataFolder(old);
say(
  `An old data folder with ${count} entries, as the old program left it: a model.list and a cortex.db in`,
  old,
);

say("\nEvery model of both stores comes over in one step; the old files stay as they are.");
run("cortex-migrate", old);

say("\nWhat is there now, and only what one looks for.");
run("cortex", "list");
run(
  "cortex",
  "list",
  "--source-type",
  "huggingface",
  "--filter",
  "size_bytes>4.5GB",
  "--sort",
  "size_bytes:desc",
);

say("\nA shorter name, some tags, and everything that is known about it.");
run("cortex", "alias", "openhermes-2.5-mistral-7b.q4_k_m", "hermes");
run("cortex", "tag", "hermes", "+chat", "+favourite");
run("cortex", "list", "--tag", "chat");
run("cortex", "show", "hermes");

say("\nA program that runs it says so, and nobody can take the model away meanwhile.");
run("cortex", "start", "hermes", "--holder", "my-engine", "--ttl", "10m");
run("cortex", "ps");
run("cortex", "stop", "hermes", "--holder", "my-engine");

say("\nWho changed what, and when.");
run("cortex", "history", "hermes");

say("\nThe same over HTTP, for programs that know OpenAI, Ollama, or the routes that /docs describes.");
await serve("/v1/models?tag=chat&fields=id,alias,size_bytes", "/api/tags");

say("\nNothing is lost: a verified backup, a slip of the hand, and back.");
run("cortex", "backup", join(folder, "backup"));
run("cortex", "rm", "hermes", "-y");
run("cortex", "restore", join(folder, "backup"), "-y");
run("cortex", "check", "--full");

rmSync(folder, { recursive: true });
say(`
That was a folder made for the demo; it is gone again. With your own, from this folder:

  alias cortex='${inShell("cli/bin/cortex.cjs")}'
  alias cortex-server='${inShell("hono-server/bin/cortex-server.mjs")}'
  alias cortex-migrate='${inShell("legacy-migrator/bin/cortex-migrate.cjs")}'

  cortex-migrate --dry-run   shows what would come over from your old data folder
  cortex-migrate             does it
  cortex list                what is there
  cortex scan                the models that other tools keep on this machine
  cortex pull <org/repo>     fetches one from Hugging Face
  cortex-server              the registry over HTTP, for this machine
  cortex backup <folder>     a copy that was compared; with --follow, every change from then on
  cortex --help              everything else`);

function inShell(bin) {
  const top = fileURLToPath(new URL("../../", import.meta.url));
  return [
    process.execPath.startsWith(top) ? `${top}node_modules/.bin/node` : process.execPath,
    join(apps, bin),
  ].join(" ");
}

function say(...lines) {
  console.log(lines.join("\n"));
}

function run(program, ...args) {
  say(`\n$ ${[program, ...args.map(quoted)].join(" ")}`);
  const { status, error } = spawnSync(process.execPath, [bins[program], ...args], {
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error !== undefined) throw error;
  if (status === 0) return;
  console.error(`\n${program} ended with exit code ${status}. The demo's folder is kept: ${folder}`);
  process.exit(1);
}

async function serve(...paths) {
  say("\n$ cortex-server &");
  const server = spawn(process.execPath, [bins["cortex-server"], "--port", "0"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "close");
  const lines = createInterface(server.stdout);
  const [line] = await Promise.race([once(lines, "line"), ended.then(() => [undefined])]);
  if (line === undefined) throw new Error("cortex-server ended.");
  const { msg, address } = JSON.parse(line);
  say(msg);
  for (const path of paths) {
    say(`\n$ curl '${address}${path}'`);
    const answer = await fetch(`${address}${path}`);
    say(shortened(await answer.text()));
  }
  say("\n$ kill %1");
  server.kill();
  await ended;
}

function shortened(text) {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function quoted(argument) {
  return /[^\w@%+=:,./-]/.test(argument) ? `'${argument}'` : argument;
}
