import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { startTestHub, type TestHub } from "@cortex/test-hub";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Hub, type HubOptions } from "../../src/hub/hub.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

const TOKEN = "hf_secret";
let server: TestHub;
let hub: Hub;

beforeEach(async () => {
  server = await startTestHub({ pageSize: 2 });
  hub = open();
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function open(options: HubOptions = {}): Hub {
  return new Hub({
    endpoint: server.endpoint,
    token: TOKEN,
    privateHosts: ["127.0.0.1"],
    retries: { count: 3, firstDelayMs: 1, maxDelayMs: 200 },
    ...options,
  });
}

const resolve = (text: string) => hub.resolve(parseReference(text, server.endpoint));

describe("a repository", () => {
  test("is the files of one exact commit, over all pages, with the hash that the hub knows", async () => {
    const commit = server.commit("org/repo", {
      "README.md": "# Hi\n",
      "sub/a b.gguf": "GGUF",
      "c.gguf": "G",
    });
    const remote = await resolve("org/repo");
    expect(remote).toMatchObject({ sourceType: "huggingface", repo: "org/repo", branch: "main", commit });
    expect(remote.files).toHaveLength(3);
    expect(remote.files).toContainEqual({
      path: "sub/a b.gguf",
      sizeBytes: 4,
      // printf GGUF | sha256sum
      sha256: "b83633aa785344791618f2fddf131b010ea04912a60430760b070bad293f65bd",
      gitSha1: null,
      url: `${server.endpoint}/org/repo/resolve/${commit}/sub/a%20b.gguf`,
      etag: null,
    });
    expect(remote.files.find(({ path }) => path === "README.md")).toMatchObject({
      sha256: null,
      gitSha1: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
  });

  test("of a commit made meanwhile is not mixed in", async () => {
    const first = server.commit("org/repo", { "a.gguf": "one" });
    server.commit("org/repo", { "b.gguf": "two" });
    const remote = await resolve(`org/repo@${first}`);
    expect(remote.commit).toBe(first);
    expect(remote.files.map(({ path }) => path)).toEqual(["a.gguf"]);
  });

  test("of cortex.so has a branch for each tag, and says which is the default", async () => {
    const commit = server.commitCortexModel("tinyllama", "1b-gguf", "GGUF");
    for (const text of ["tinyllama:1b-gguf", "tinyllama"]) {
      const remote = await resolve(text);
      expect(remote).toMatchObject({
        sourceType: "cortex.so",
        repo: "cortexso/tinyllama",
        branch: "1b-gguf",
        commit,
      });
      expect(remote.files.map(({ path }) => path)).toContain("model.yml");
    }
    const yml = (await resolve("tinyllama")).files.find(({ path }) => path === "model.yml");
    expect(await hub.readText(yml!)).toContain("model: tinyllama:1b-gguf");
  });

  test.for([
    ["org/none", "not_found", "HF_TOKEN"],
    ["org/repo@none", "not_found", "There is no none in repository org/repo"],
    ["none:1b", "not_found", "HF_TOKEN"],
  ] as const)("%s is not there, and the answer says what to do", async ([text, code, words]) => {
    server.commit("org/repo", { "a.gguf": "one" });
    await expect(resolve(text)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });
});

test("a file of any server is what its URL says", async () => {
  const url = server.putFile("some/a.gguf", "GGUF");
  const remote = await resolve(url);
  expect(remote).toMatchObject({ sourceType: "local", repo: null, branch: null, commit: null });
  expect(remote.files).toMatchObject([
    { path: "a.gguf", sizeBytes: 4, url, etag: expect.stringMatching(/^"/) },
  ]);
});

test("a search finds repositories", async () => {
  server.commit("org/tiny-GGUF", { "a.gguf": "one", "b.gguf": "two" });
  server.commit("org/tiny", { "README.md": "none" });
  const found = await hub.search("tiny", 10);
  expect(found).toMatchObject([{ repo: "org/tiny-GGUF", isGated: false, downloads: 2 }]);
});

describe("the token", () => {
  test("goes to the hub, and not with a redirect to another host", async () => {
    server.commit("org/repo", { "a.gguf": "GGUF" });
    const [file] = (await resolve("org/repo")).files;
    (await hub.http.request(file!.url)).discard();
    const sent = server.requests.map(({ on, headers }) => [on, headers.authorization]);
    expect(sent.filter(([on]) => on === "hub")).not.toHaveLength(0);
    for (const [on, authorization] of sent) {
      expect(authorization).toBe(on === "hub" ? `Bearer ${TOKEN}` : undefined);
    }
    expect(sent).toContainEqual(["cdn", undefined]);
  });

  test("does not come back with a redirect that returns to the hub", async () => {
    server.commit("org/repo", { "README.md": "hi" });
    const url = server.putFile("back.gguf", "");
    server.fault({ kind: "redirect", to: `${server.endpoint}/org/repo/resolve/main/README.md` });
    (await hub.http.request(url)).discard();
    expect(server.requests.at(-1)).toMatchObject({ on: "hub" });
    expect(server.requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  test("does not go to the next page on another host", async () => {
    server.commit("org/repo", { "a.gguf": "1", "b.gguf": "2", "c.gguf": "3" });
    server.fault({ kind: "redirect", to: server.putFile("tree.json", "[]") }, { on: "hub", path: "cursor=" });
    await resolve("org/repo");
    expect(server.requests.at(-1)).toMatchObject({ on: "cdn" });
    expect(server.requests.at(-1)?.headers.authorization).toBeUndefined();
  });

  test("opens a gated repository once its licence is accepted", async () => {
    server.commit("org/gated", { "a.gguf": "GGUF" });
    server.restrict("org/gated", "gated");
    const [file] = (await resolve("org/gated")).files;
    const wanted = { code: "permission_denied", message: expect.stringMatching(/licence.*HF_TOKEN/) };
    await expect(hub.readText(file!)).rejects.toMatchObject(wanted);
    await using stranger = open({ token: undefined });
    await expect(stranger.readText(file!)).rejects.toMatchObject(wanted);
    server.accept("org/gated", TOKEN);
    expect(await hub.readText(file!)).toBe("GGUF");
  });
});

describe("an address that is not public", () => {
  test.for([
    "http://127.0.0.1:9/a.gguf",
    "http://[::1]:9/a.gguf",
    "http://169.254.169.254/a.gguf",
    "http://2130706433/a.gguf",
    "http://0x7f.1/a.gguf",
    "http://[::ffff:10.0.0.1]/a.gguf",
    "http://localhost:9/a.gguf",
  ])("%s is refused", async (url) => {
    await using strict = open({ privateHosts: [] });
    await expect(strict.resolve(parseReference(url))).rejects.toMatchObject({ code: "permission_denied" });
  });

  test("is refused after a redirect, and not asked", async () => {
    const secret = createServer((_, response) => response.end("secret"));
    await using port = await listening(secret, "127.0.0.2");
    let asked = 0;
    secret.on("request", () => asked++);
    const url = server.putFile("a.gguf", "GGUF");
    for (const to of [
      `http://127.0.0.2:${port.number}/latest/meta-data`,
      "http://169.254.169.254/latest/meta-data",
    ]) {
      server.fault({ kind: "redirect", to });
      await expect(resolve(url)).rejects.toMatchObject({ code: "permission_denied" });
    }
    expect(asked).toBe(0);
  });
});

describe("a redirect", () => {
  test("that leads back to itself is named", async () => {
    const url = server.putFile("a.gguf", "GGUF");
    server.fault({ kind: "redirect", to: "/a.gguf" }, { times: 100 });
    await expect(resolve(url)).rejects.toMatchObject({
      code: "source_unreachable",
      message: expect.stringContaining("back to itself"),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("leads on only so often", async () => {
    const url = server.putFile("a.gguf", "GGUF");
    for (let hop = 0; hop < 50; hop++) server.fault({ kind: "redirect", to: `/a.gguf?${hop}` });
    await expect(resolve(url)).rejects.toMatchObject({ message: expect.stringContaining("8 times") });
    expect(server.requests.length).toBeLessThan(12);
  });

  test.for(["file:///etc/passwd", "ftp://127.0.0.1/a.gguf", "data:,x"])("to %s is refused", async (to) => {
    const url = server.putFile("a.gguf", "GGUF");
    server.fault({ kind: "redirect", to });
    await expect(resolve(url)).rejects.toMatchObject({ code: "source_unreachable" });
  });
});

describe("what may pass is tried again", () => {
  test.for([429, 500, 502, 503, 504])("%i", async (status) => {
    server.commit("org/repo", { "a.gguf": "GGUF" });
    server.fault({ kind: "status", status }, { on: "hub", times: 2 });
    expect((await resolve("org/repo")).files).toHaveLength(1);
  });

  test("but not for ever", async () => {
    server.commit("org/repo", { "a.gguf": "GGUF" });
    server.fault({ kind: "status", status: 503 }, { on: "hub", times: 100 });
    await expect(resolve("org/repo")).rejects.toMatchObject({
      code: "source_unreachable",
      message: expect.stringContaining("503"),
    });
    expect(server.requests).toHaveLength(4);
  });

  test.for(["0", new Date(0).toUTCString()])("after what Retry-After says: %s", async (value) => {
    server.commit("org/repo", { "a.gguf": "GGUF" });
    server.fault({ kind: "status", status: 429, headers: { "retry-after": value } }, { on: "hub" });
    expect((await resolve("org/repo")).files).toHaveLength(1);
  });

  test("and Retry-After is waited for, as far as it is sensible", async () => {
    server.commit("org/repo", { "a.gguf": "GGUF" });
    server.fault({ kind: "status", status: 429, headers: { "retry-after": "3600" } }, { on: "hub" });
    const before = performance.now();
    await resolve("org/repo");
    const waited = performance.now() - before;
    expect(waited).toBeGreaterThan(190);
    expect(waited).toBeLessThan(5000);
  });

  test("until whoever asked wants it no more", async () => {
    server.commit("org/repo", { "a.gguf": "GGUF" });
    server.fault(
      { kind: "status", status: 503, headers: { "retry-after": "3600" } },
      { on: "hub", times: 9 },
    );
    await using patient = open({ retries: { maxDelayMs: 60_000 } });
    const asking = patient.resolve(parseReference("org/repo"), AbortSignal.timeout(50));
    await expect(asking).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

test("an answer that breaks off is asked for again", async () => {
  const yml = { "model.yml": "engine: llama-cpp\n" };
  server.commit("org/repo", yml);
  const [file] = (await resolve("org/repo")).files;
  server.fault({ kind: "cut", atByte: 5 }, { on: "hub", path: "model.yml" });
  expect(await hub.readText(file!)).toBe(yml["model.yml"]);
});

test("a server that says nothing is given up", async () => {
  const silent = createServer(() => undefined);
  await using port = await listening(silent, "127.0.0.1");
  await using impatient = open({ stallTimeoutMs: 100, retries: { count: 1, firstDelayMs: 1 } });
  const url = `http://127.0.0.1:${port.number}/a.gguf`;
  await expect(impatient.resolve(parseReference(url))).rejects.toMatchObject({ code: "source_unreachable" });
});

test("whoever waits is told once for whom, when that takes long", async () => {
  const told: string[] = [];
  const onSilence = { afterMs: 50, tell: (host: string) => void told.push(host) };
  await using quick = open({ onSilence: { ...onSilence, afterMs: 5000 } });
  server.commit("org/repo", { "a.gguf": "GGUF" });
  await quick.resolve(parseReference("org/repo"));
  expect(told).toEqual([]);
  const silent = createServer(() => undefined);
  await using port = await listening(silent, "127.0.0.1");
  const host = `127.0.0.1:${port.number}`;
  await using other = open({
    endpoint: `http://${host}`,
    onSilence,
    stallTimeoutMs: 200,
    retries: { count: 1 },
  });
  for (const ask of [
    () => other.resolve(parseReference("org/repo")),
    () => other.search("x", 1),
    () => other.readText({ url: `http://${host}/model.yml` }),
  ]) {
    await expect(ask()).rejects.toMatchObject({ code: "source_unreachable" });
    expect(told).toEqual([host]);
  }
});

test("an answer without end is not taken into memory", async () => {
  const endless = createServer((_, response) => {
    const piece = Buffer.alloc(1024 * 1024, "[");
    response.on("drain", () => response.write(piece)).write(piece);
  });
  await using port = await listening(endless, "127.0.0.1");
  await using other = open({ endpoint: `http://127.0.0.1:${port.number}` });
  const before = process.memoryUsage().rss;
  await expect(other.resolve(parseReference("org/repo"))).rejects.toMatchObject({
    code: "source_unreachable",
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
});

test.for(["<html>log in first", "", "null", "[1, 2", "{}", "[null]", "[{}]", '"text"', '{"sha":5}'])(
  "what answers %j is no hub",
  async (text) => {
    const other = createServer((_, response) => response.end(text));
    await using port = await listening(other, "127.0.0.1");
    await using strange = open({ endpoint: `http://127.0.0.1:${port.number}` });
    for (const ask of [() => strange.resolve(parseReference("org/repo")), () => strange.search("x", 10)]) {
      await expect(ask()).rejects.toMatchObject({
        code: "source_unreachable",
        message: expect.stringContaining("answers as no hub does"),
      });
    }
  },
);

test.for(['{"type":"file"}', '{"type":"file","path":5}', '{"type":"file","path":"a","lfs":5}'])(
  "a file that is listed as %j is none",
  async (entry) => {
    const sha = "0".repeat(40);
    const other = createServer(({ url = "" }, response) =>
      response.end(url.includes("/tree/") ? `[${entry}]` : JSON.stringify({ sha })),
    );
    await using port = await listening(other, "127.0.0.1");
    await using strange = open({ endpoint: `http://127.0.0.1:${port.number}` });
    await expect(strange.resolve(parseReference("org/repo"))).rejects.toMatchObject({
      code: "source_unreachable",
      message: expect.stringContaining("answers as no hub does"),
    });
  },
);

test("a repository that a search finds without what it must say is none", async () => {
  const other = createServer((_, response) => response.end('[{"id":"org/repo","likes":1}]'));
  await using port = await listening(other, "127.0.0.1");
  await using strange = open({ endpoint: `http://127.0.0.1:${port.number}` });
  await expect(strange.search("x", 1)).rejects.toMatchObject({ code: "source_unreachable" });
});

describe("why nobody answers is said in words", () => {
  const quick: HubOptions = { stallTimeoutMs: 100, retries: { count: 0 } };

  test("where the host is not known", async () => {
    await using stray = open(quick);
    await expect(stray.resolve(parseReference("http://no.such.host.invalid/a.gguf"))).rejects.toMatchObject({
      message:
        "http://no.such.host.invalid/a.gguf does not answer: the host no.such.host.invalid was not found. Check its name, the network and the proxy settings, and try again.",
    });
  });

  test.for([
    ["cuts the connection", (socket: Socket): unknown => socket.destroy(), "the connection was cut"],
    ["says nothing", (): unknown => undefined, "it was silent for too long"],
    [
      "speaks something else",
      (socket: Socket): unknown => socket.end("220 smtp\r\n"),
      "what it says is not HTTP",
    ],
  ] as const)("where it %s", async ([, behave, words]) => {
    const other = createServer().on("connection", behave);
    await using port = await listening(other, "127.0.0.1");
    await using impatient = open(quick);
    const asking = impatient.resolve(parseReference(`http://127.0.0.1:${port.number}/a.gguf`));
    await expect(asking).rejects.toMatchObject({
      message: expect.stringContaining(`does not answer: ${words}.`),
    });
  });

  test("where nobody listens", async () => {
    const gone = await listening(createServer(), "127.0.0.1");
    await gone[Symbol.asyncDispose]();
    await using stray = open(quick);
    await expect(
      stray.resolve(parseReference(`http://127.0.0.1:${gone.number}/a.gguf`)),
    ).rejects.toMatchObject({
      message: expect.stringContaining(`does not answer: nothing listens at 127.0.0.1, port ${gone.number}.`),
    });
  });

  test("where https is asked of what speaks none", async () => {
    await using stray = open(quick);
    const asking = stray.resolve(parseReference(`${server.endpoint.replace("http:", "https:")}/a.gguf`));
    await expect(asking).rejects.toMatchObject({ message: expect.stringContaining("it speaks no TLS") });
  });
});

test("a list without end is given up", async () => {
  let pages = 0;
  const endless = createServer((request, response) => {
    const next = new URL(`?cursor=${++pages}`, `http://${request.headers.host}${request.url}`);
    response.setHeader("link", `<${next.href}>; rel="next"`);
    response.end("[]");
  });
  await using port = await listening(endless, "127.0.0.1");
  await using other = open({ endpoint: `http://127.0.0.1:${port.number}` });
  await expect(other.search("x", 10)).rejects.toMatchObject({ code: "source_unreachable" });
  expect(pages).toBeLessThan(2000);
});

test("a list of ever more files is given up as soon as no repository has so many", async () => {
  let pages = 0;
  const sha = "0".repeat(40);
  const endless = createServer(({ url = "", headers }, response) => {
    if (!url.includes("/tree/")) return response.end(JSON.stringify({ sha }));
    const next = new URL(`?cursor=${++pages}`, `http://${headers.host}${url}`);
    response.setHeader("link", `<${next.href}>; rel="next"`);
    const files = Array.from({ length: 1000 }, (_, at) => ({
      type: "file",
      path: `${pages}-${at}`,
      size: 1,
      oid: sha,
    }));
    return response.end(JSON.stringify(files));
  });
  await using port = await listening(endless, "127.0.0.1");
  await using other = open({ endpoint: `http://127.0.0.1:${port.number}` });
  await expect(other.resolve(parseReference("org/repo"))).rejects.toMatchObject({
    code: "source_unreachable",
    message: expect.stringContaining("more than 20000 files"),
  });
  expect(pages).toBeLessThan(30);
});

async function listening(
  listener: Server,
  address: string,
): Promise<AsyncDisposable & { readonly number: number }> {
  listener.listen(0, address);
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    number: port,
    async [Symbol.asyncDispose]() {
      listener.close();
      listener.closeAllConnections();
      await once(listener, "close");
    },
  };
}
