// The main job, for real: an old data folder is migrated, and its models are worked with.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { writeOldDataFolder } from "./old-data-folder.mjs";

const apps = fileURLToPath(new URL("../../apps/", import.meta.url));
const bins = {
  cortex: join(apps, "cli/bin/cortex.cjs"),
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

say("\nNothing is lost: a verified backup, a slip of the hand, and back.");
run("cortex", "backup", join(folder, "backup"));
run("cortex", "rm", "hermes", "-y");
run("cortex", "restore", join(folder, "backup"), "-y");
run("cortex", "check", "--full");

rmSync(folder, { recursive: true });
say(`
That was a folder made for the demo; it is gone again. With your own, from this folder:

  alias cortex='${inShell("cli/bin/cortex.cjs")}'
  alias cortex-migrate='${inShell("legacy-migrator/bin/cortex-migrate.cjs")}'

  cortex-migrate --dry-run   shows what would come over from your old data folder
  cortex-migrate             does it
  cortex list                what is there
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

function quoted(argument) {
  return /[^\w@%+=:,./-]/.test(argument) ? `'${argument}'` : argument;
}
