import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isRegistryError, type RegistryError } from "@cortex/model-db";
import { expect, test } from "vitest";

import { readCommandLine } from "../../src/program/command-line.ts";
import { readSettings } from "../../src/program/read-settings.ts";
import { Sandbox } from "./program.ts";

/** The settings that `cortex-server` would use. */
async function settingsOf(
  sandbox: Sandbox,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await sandbox.run([...args, "--print-config"], env);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** What a command line is refused with. */
function refusal(args: readonly string[], env: NodeJS.ProcessEnv = {}): RegistryError {
  try {
    const { flags, configFile } = readCommandLine(args);
    readSettings(flags, configFile, env);
  } catch (error) {
    if (isRegistryError(error)) return error;
    throw error;
  }
  throw new Error(`${args.join(" ")} was not refused.`);
}

test("a flag wins over a variable, that over the file, that over the default", async () => {
  await using sandbox = new Sandbox();
  const file = sandbox.path("settings.json");
  writeFileSync(file, JSON.stringify({ port: 1001, log_level: "warn", backup: "kept" }));
  const all = ["--config", file];
  expect(await settingsOf(sandbox, [])).toMatchObject({ port: 39_281, log_level: "info", host: "127.0.0.1" });
  expect(await settingsOf(sandbox, all)).toMatchObject({ port: 1001, log_level: "warn" });
  expect(await settingsOf(sandbox, all, { CORTEX_PORT: "1002" })).toMatchObject({ port: 1002 });
  expect(await settingsOf(sandbox, [...all, "--port", "1003"], { CORTEX_PORT: "1002" })).toMatchObject({
    port: 1003,
  });
});

test("what can be repeated is a list in the file, and has commas between in a variable", async () => {
  await using sandbox = new Sandbox();
  const expected = { allowed_host: ["a.example", "b.example"] };
  const flags = ["--allowed-host", "a.example", "--allowed-host", "b.example"];
  expect(await settingsOf(sandbox, flags)).toMatchObject(expected);
  expect(await settingsOf(sandbox, [], { CORTEX_ALLOWED_HOST: "a.example, b.example" })).toMatchObject(
    expected,
  );
  writeFileSync(sandbox.path("settings.json"), JSON.stringify(expected));
  expect(await settingsOf(sandbox, ["--config", "settings.json"])).toMatchObject(expected);
});

test("an empty variable says nothing", async () => {
  await using sandbox = new Sandbox();
  expect(await settingsOf(sandbox, [], { CORTEX_PORT: "", CORTEX_DB: "" })).toMatchObject({ port: 39_281 });
});

test("the file server.json in the data folder is read where none is named", async () => {
  await using sandbox = new Sandbox();
  mkdirSync(sandbox.path("home"));
  writeFileSync(join(sandbox.path("home"), "server.json"), '{"port": 1001}');
  expect(await settingsOf(sandbox, [])).toMatchObject({ port: 1001 });
});

test("a path in a file begins at the file's folder, one on the command line where that is typed", async () => {
  await using sandbox = new Sandbox();
  mkdirSync(sandbox.path("etc"));
  writeFileSync(sandbox.path("etc/settings.json"), '{"db": "a.db", "backup": "/b"}');
  const settings = await settingsOf(sandbox, ["--config", "etc/settings.json", "--socket", "s"]);
  expect(settings).toMatchObject({
    db: sandbox.path("etc/a.db"),
    backup: "/b",
    socket: sandbox.path("s"),
  });
});

test("what is printed is a configuration file that says the same", async () => {
  await using sandbox = new Sandbox();
  const printed = await settingsOf(sandbox, ["--port", "1001", "--backup", "b"]);
  writeFileSync(sandbox.path("printed.json"), JSON.stringify(printed));
  expect(await settingsOf(sandbox, ["--config", "printed.json"])).toEqual(printed);
});

test.for([
  [["--prot", "1"], /There is no flag --prot\. Did you mean --port\?/],
  [["serve"], /takes flags only, not serve/],
  [["--port"], /--port needs a value/],
  [["--port", "--log-level", "info"], /--port needs a value/],
  [["--port", "80x"], /--port cannot be 80x: it takes <number>/],
  [["--port", "65536"], /--port cannot be 65536.*up to 65535/],
  [["--port", "1", "--port", "2"], /--port is given twice/],
  [["--log-level", "loud"], /--log-level cannot be loud.*silent, error, warn, info, debug/],
  [["--help=yes"], /--help is a switch/],
  [["--db", ""], /--db cannot be empty/],
  [["--allowed-host", "a b"], /--allowed-host cannot be/],
  [["--cors-origin", "https://a.example/page"], /--cors-origin cannot be/],
  [["--trust-proxy", "10.0.0.0/33"], /--trust-proxy cannot be 10\.0\.0\.0\/33: it takes <proxy>/],
  [["--tls-cert", "c.pem"], /needs both --tls-cert and --tls-key/],
  [["--po\u001B[2Jrt"], /There is no flag --po\\x1b/],
] as const)("a command line that is wrong is refused: %j", ([args, message]) => {
  expect(refusal(args)).toMatchObject({
    code: "invalid_input",
    message: expect.stringMatching(message) as string,
  });
});

test.for([
  ['{"prot": 1}', /unknown key prot\. Did you mean port\?/],
  ['{"port": "1", }', /is no JSON/],
  ["[]", /must hold one JSON object/],
  ['{"port": true}', /port in .*settings\.json cannot be true/],
  ['{"db": ["a"]}', /db in .*settings\.json cannot be/],
  ['{"__proto__": {"port": 1}}', /unknown key __proto__/],
] as const)("a configuration file that is wrong is refused: %s", async ([text, message]) => {
  await using sandbox = new Sandbox();
  writeFileSync(sandbox.path("settings.json"), text);
  const error = refusal(["--config", sandbox.path("settings.json")]);
  expect(error.message).toMatch(message);
  expect(error.code).toBe("invalid_input");
});

test("a refusal is one line on stderr, with exit code 2", async () => {
  await using sandbox = new Sandbox();
  expect(await sandbox.run(["--prot", "1"])).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: "cortex-server: There is no flag --prot. Did you mean --port?\n",
  });
});

test.skipIf(!existsSync("/dev/full"))("settings that cannot be printed are a failure", async () => {
  await using sandbox = new Sandbox();
  expect(sandbox.runRedirected(">/dev/full", ["--print-config"])).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "cortex-server: Standard output cannot be written (ENOSPC).\n",
  });
});

test("a configuration file that is not there is named", () => {
  const error = refusal(["--config", "none.json"]);
  expect(error.message).toMatch(/^There is no configuration file .*none\.json\.$/);
  expect(error.code).toBe("not_found");
});

test("a variable that is wrong is named", () => {
  const { message } = refusal([], { CORTEX_PORT: "tcp://10.0.0.1:80" });
  expect(message).toMatch(/^CORTEX_PORT cannot be tcp:/);
});

test("--help explains every setting, and --version is the version", async () => {
  await using sandbox = new Sandbox();
  const { stdout } = await sandbox.run(["--help"]);
  const keys = Object.keys(await settingsOf(sandbox, ["--socket", "s", "--backup", "b"]));
  for (const key of keys) expect(stdout).toContain(`--${key.replaceAll("_", "-")} `);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect((await sandbox.run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
