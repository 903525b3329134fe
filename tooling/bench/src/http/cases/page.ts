import { openRegistry } from "@cortex/model-db";

import { atLeast, atMost, type Case } from "../../case.ts";
import { measureServers } from "../measure-servers.ts";
import { startOurs, startPeer } from "../servers/index.ts";
import { PAGE } from "../servers/raw-reads.ts";

// More pages than any cache keeps, or their beginnings lie as close as that.
const PAGES = 2000;
const BARE = "node:http, a bare answer";
const BARE_PAGE = "node:http, a bare answer of as many bytes";
const OURS = "cortex-server, another page each time";
const AGAIN = "cortex-server, the same page again";
const FASTIFY = "Fastify with a response schema, prepared statements";
const JSON_OF_ROWS = "Hono c.json, prepared statements";
const OBSERVED = "… with a log, counts and checks, as ours has them";
const KYSELY = "Hono c.json, stock Kysely";

/** A page of 50 models: one that nobody has asked for, and one that was asked for before. */
export const page: Case = {
  name: "page",
  async run({ fixture, effort }) {
    await using bare = await startPeer("bare", fixture.path);
    await using ours = await startOurs(fixture.copy("own"));
    await using fastify = await startPeer("fastify", fixture.path);
    await using honoJson = await startPeer("honoJson", fixture.path);
    await using honoKysely = await startPeer("honoKysely", fixture.path);
    const step = Math.max(1, Math.floor((fixture.size - PAGE) / PAGES));
    const cursors = await readCursors(fixture.path, step);
    const peer = (index: number): { path: string } => ({
      path: `/v1/models?before=${fixture.size + 1 - (index % cursors.length) * step}`,
    });
    const first = `/v1/models?limit=${PAGE}`;
    const body = await (await fetch(`http://127.0.0.1:${ours.port}${first}`)).arrayBuffer();
    const { measurement, latencies } = await measureServers(
      [
        { name: BARE, server: bare, next: peer },
        { name: BARE_PAGE, server: bare, next: () => ({ path: `/bytes/${body.byteLength}` }) },
        {
          name: OURS,
          server: ours,
          next: (index) => ({ path: `/v1/models?limit=${PAGE}&cursor=${cursors[index % cursors.length]}` }),
        },
        { name: AGAIN, server: ours, next: () => ({ path: first }) },
        { name: FASTIFY, server: fastify, next: peer },
        { name: JSON_OF_ROWS, server: honoJson, next: peer },
        {
          name: OBSERVED,
          server: honoJson,
          next: (index) => ({ path: `/observed${peer(index).path}` }),
        },
        { name: KYSELY, server: honoKysely, next: peer },
      ],
      "cpu",
      effort.reads,
    );
    return {
      tables: [
        { title: `page of ${PAGE}, processor time of the server`, reference: BARE, measurement, latencies },
      ],
      goals: [
        atMost("a new page: against c.json of the same rows", measurement.ratio(OURS, JSON_OF_ROWS), 0.8),
        atLeast("a new page: faster than Hono over stock Kysely", measurement.ratio(KYSELY, OURS), 2),
        atMost("the same page again: against a bare answer", measurement.ratio(AGAIN, BARE), 2),
      ],
    };
  },
};

// The cursors of pages that begin some models apart, the last ones full.
async function readCursors(path: string, step: number): Promise<string[]> {
  await using registry = await openRegistry(path, { mode: "read" });
  const cursors: string[] = [];
  let cursor: string | null = null;
  while (cursors.length < PAGES) {
    const { nextCursor }: { nextCursor: string | null } = await registry.models.list({ limit: step, cursor });
    if (nextCursor === null) break;
    cursors.push(nextCursor);
    cursor = nextCursor;
  }
  return cursors.slice(0, Math.max(1, cursors.length - Math.ceil(PAGE / step)));
}
