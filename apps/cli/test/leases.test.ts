import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

const HOUR_MS = 3_600_000;

async function withModel(sandbox: Sandbox): Promise<void> {
  await sandbox.output("add", "tinyllama:1b-gguf", "--alias", "tiny");
}

test("a model that a program runs is RUNNING, with all that is known about the run", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  const flags = [
    "--holder",
    "llama-server",
    "--endpoint",
    "http://127.0.0.1:8080",
    "--pid",
    "4711",
    "--node",
    "box",
  ];
  const run = await sandbox.json("start", "tiny", ...flags, "--ttl", "1h");
  expect(run).toMatchObject({
    model_id: "tinyllama:1b-gguf",
    holder: "llama-server",
    endpoint: "http://127.0.0.1:8080",
    pid: 4711,
    node: "box",
    ttl_ms: HOUR_MS,
    token: expect.any(Number),
  });
  expect(await sandbox.output("list", "--status", "running", "-q")).toBe("tinyllama:1b-gguf\n");
  expect(await sandbox.json("show", "tiny")).toMatchObject({ status: 1 });
  expect((await sandbox.json<List>("ps")).data).toMatchObject([{ token: run["token"] }]);
  expect(await sandbox.output("ps")).toMatch(
    /tinyllama:1b-gguf +llama-server +box +4711 +http:.* +in 1 hour +\d+\n$/,
  );
  expect(await sandbox.output("show", "tiny")).toContain(
    "llama-server on box, process 4711, http://127.0.0.1:8080",
  );
});

test("starting again as the same holder renews the lease, as another is a conflict unless it joins", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  const token = await sandbox.output("start", "tiny", "-q");
  expect(await sandbox.json("start", "tiny")).toMatchObject({ pid: null });
  expect(await sandbox.output("start", "tiny", "-q")).toBe(token);
  const refused = await sandbox.run(["start", "tiny", "--holder", "other"]);
  expect(refused).toMatchObject({
    exitCode: 4,
    stdout: "",
    stderr: expect.stringMatching(
      /until \S+Z\. .*`cortex stop` ends that; `cortex start --join` runs it beside\.\n$/,
    ),
  });
  expect(await sandbox.output("start", "tiny", "--holder", "other", "--join", "-q")).not.toBe(token);
});

test("a renewal keeps the endpoint unless it names one", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  const endpoint = "http://127.0.0.1:8080";
  const renew = (...flags: string[]): Promise<Record<string, unknown>> =>
    sandbox.json("start", "tiny", "--holder", "one", ...flags);
  expect(await renew("--endpoint", endpoint)).toMatchObject({ endpoint });
  expect(await renew()).toMatchObject({ endpoint });
  expect(await renew("--endpoint", "https://box/v1")).toMatchObject({ endpoint: "https://box/v1" });
  // It is that of one holder.
  expect(await sandbox.json("start", "tiny", "--holder", "two", "--join")).toMatchObject({ endpoint: null });
});

test("an endpoint is a URL", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  for (const endpoint of ["", "not a url", "localhost:8080", "http://", "8080"]) {
    expect(await sandbox.run(["start", "tiny", "--endpoint", endpoint]), endpoint).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("http://127.0.0.1:8080"),
    });
  }
  expect(await sandbox.output("ps")).toBe("");
});

test("a stop by the model's name ends the only lease, and asks which one where there are several", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  await sandbox.output("start", "tiny", "--holder", "one");
  const token = (await sandbox.output("start", "tiny", "--holder", "two", "--join", "-q")).trim();
  const which = await sandbox.run(["stop", "tiny"]);
  expect(which).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`--token ${token}  two on`) });
  expect(await sandbox.run(["stop", "tiny", "--holder", "three"])).toMatchObject({
    exitCode: 3,
    stderr: 'cortex: "three" does not run tiny. It is run by "one" and "two": name that with --holder.\n',
  });
  expect(await sandbox.run(["stop", "tiny", "--holder", "one"])).toMatchObject({ exitCode: 0 });
  expect(await sandbox.output("stop", "tiny", "--token", token, "-q")).toBe(`${token}\n`);
  expect(await sandbox.run(["stop", "tiny", "--token", token])).toMatchObject({ exitCode: 4 });
  expect(await sandbox.run(["stop", "tiny"])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining("Nobody"),
  });
  expect(await sandbox.output("list", "--status", "running", "-q")).toBe("");
});

test("a running model is not deleted", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  await sandbox.output("start", "tiny");
  expect(await sandbox.run(["rm", "tiny", "-y"])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/^cortex: tinyllama:1b-gguf is running\. `cortex stop` ends that\.$/m),
  });
  await sandbox.output("stop", "tiny");
  expect(await sandbox.run(["rm", "tiny", "-y"])).toMatchObject({ exitCode: 0 });
});

test("a lease that ran out is gone without anybody's help", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  await sandbox.output("start", "tiny", "--ttl", "1s");
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await sandbox.output("ps")).toBe("");
  expect(await sandbox.json("show", "tiny")).toMatchObject({ status: 0 });
});

test("a lease shorter than a second or longer than 30 days is refused", async () => {
  using sandbox = new Sandbox();
  await withModel(sandbox);
  for (const ttl of ["1ms", "31d"])
    expect(await sandbox.run(["start", "tiny", "--ttl", ttl])).toMatchObject({ exitCode: 2 });
  expect(await sandbox.output("ps", "-q")).toBe("");
});
