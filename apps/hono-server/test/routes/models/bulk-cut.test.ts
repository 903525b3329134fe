import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { onTestFinished, vi } from "vitest";

import { test } from "../../harness.ts";
import { sendLines } from "../../ndjson.ts";

const LINES = Array.from({ length: 300 }, (_, index) => ({ model_id: `m${index}`, source_type: "local" }));

test.for([
  ["all or none", "?atomic=true"],
  ["line by line", ""],
])(
  "a client that leaves before the answer leaves nothing behind: %s",
  async ([, query], { service, expect }) => {
    const temporary = mkdtempSync(join(tmpdir(), "bulk-cut-"));
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(temporary, { recursive: true });
    });
    const body = LINES.map((line) => JSON.stringify(line)).join("\n");
    const headers = `Host: localhost\r\nIdempotency-Key: k\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}`;
    for (const waitMs of [0, 5, 20, 60]) {
      const socket = connect(service.port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(`POST /v1/models:bulk-create${query} HTTP/1.1\r\n${headers}\r\n\r\n${body}`);
      await sleep(waitMs);
      socket.destroy();
      await once(socket, "close");
    }
    const again = async (): Promise<number> =>
      (await sendLines(`${service.url}/v1/models:bulk-create${query}`, LINES, { "idempotency-key": "k" }))
        .response.status;
    await expect.poll(again, { timeout: 5000 }).toBe(200);
    expect(await service.registry.models.count()).toBe(300);
    await expect.poll(() => readdirSync(temporary), { timeout: 5000 }).toEqual([]);
  },
);
