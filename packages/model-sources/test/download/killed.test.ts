import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { startTestHub } from "@cortex/test-hub";
import { expect, test } from "vitest";

import { downloadFile } from "../../src/download/download-file.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { RemoteFile } from "../../src/hub/remote-model.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

const MIB = 1024 * 1024;
const PROGRAM = join(import.meta.dirname, "..", "processes", "download.ts");

/** Downloads in a process of its own, which is killed once so many bytes were there. */
async function downloadAndKill(file: RemoteFile, folder: string, atBytes: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ["--conditions=@cortex/source", PROGRAM, JSON.stringify(file), folder],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  for await (const line of createInterface(child.stdout)) {
    if (Number(line) >= atBytes) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test(
  "a download whose process is killed, again and again, ends whole and was never there in part",
  { timeout: 120_000 },
  async () => {
    await using server = await startTestHub();
    await using hub = new Hub({ endpoint: server.endpoint, privateHosts: ["127.0.0.1"] });
    const folder = mkdtempSync(join(tmpdir(), "cortex-killed-"));
    server.commit("org/repo", { "m.gguf": { sizeBytes: 48 * MIB } });
    const [file] = (await hub.resolve(parseReference("org/repo"))).files as [RemoteFile];
    for (const atBytes of [1, 10 * MIB, 30 * MIB]) {
      server.fault({ kind: "drip", bytesPerSecond: 2 * MIB }, { times: 100 });
      await downloadAndKill(file, folder, atBytes);
      server.clearFaults();
      expect(existsSync(join(folder, "m.gguf"))).toBe(false);
    }
    const seen: number[] = [];
    await downloadFile({
      file,
      folder: { path: folder, isWritable: true },
      path: "m.gguf",
      http: hub.http,
      onProgress: ({ receivedBytes }) => seen.push(receivedBytes),
    });
    // What came in the last two seconds before a kill may have to come again.
    expect(seen[0]).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual(["m.gguf"]);
    const sha256 = createHash("sha256").update(readFileSync(join(folder, "m.gguf")));
    expect(sha256.digest("hex")).toBe(file.sha256);
    rmSync(folder, { recursive: true });
  },
);
