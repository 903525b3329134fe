import { createReadStream, statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";

import { createSnapshot, defaultBackupFolder } from "@cortex/model-db";
import { z } from "zod";

import { route } from "../../route.ts";
import { OneAtATime } from "./one-at-a-time.ts";

const CONTENT_TYPE = "application/vnd.sqlite3";
const HOUR_MS = 3_600_000;

const backups = new OneAtATime("A backup");

export const downloadBackup = route({
  method: "get",
  path: "/v1/maintenance/backup",
  operationId: "downloadBackup",
  summary: "The registry as it is at one moment: a file that is a registry itself",
  description:
    "For administrators. One at a time. It is copied and compared with its checksums before the first byte is sent.",
  tag: "maintenance",
  request: {},
  responses: {
    200: {
      description: "The file",
      contentType: CONTENT_TYPE,
      schema: z.string().meta({ override: { type: "string", format: "binary" } }),
      headers: z.object({
        "Content-Disposition": z.string(),
        "Content-Length": z.string(),
        ETag: z.string().meta({ description: "The SHA-256 of the file, in hexadecimal digits" }),
        "Repr-Digest": z.string().meta({ description: "The same in base64 (RFC 9530)" }),
      }),
    },
  },
  errors: ["too_busy"],
  handle: async (c) => {
    const { location } = c.get("caller");
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": CONTENT_TYPE });
    const leave = backups.enter();
    let folder: string | undefined;
    const end = async (): Promise<void> => {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
      leave();
    };
    try {
      // Beside the registry: nowhere else is it as likely that there is room, or that nobody else reads it.
      const prefix = `${defaultBackupFolder(location)}.download-`;
      await removeOld(prefix);
      folder = await mkdtemp(prefix);
      const { path, eventId } = await createSnapshot(location, folder);
      const [sha256] = (await readFile(`${path}.sha256`, "utf8")).split(" ") as [string];
      const file = createReadStream(path);
      file.once("close", () => void end());
      // Whoever asked may be gone by now: then nobody reads it.
      c.req.raw.signal.addEventListener("abort", () => file.destroy());
      if (c.req.raw.signal.aborted) file.destroy();
      return c.body(Readable.toWeb(file) as ReadableStream<Uint8Array>, 200, {
        "content-type": CONTENT_TYPE,
        "content-length": String(statSync(path).size),
        "content-disposition": `attachment; filename="registry-${eventId}.db"`,
        etag: `"${sha256}"`,
        "repr-digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
        "cache-control": "no-store",
      });
    } catch (error) {
      await end();
      throw error;
    }
  },
});

// What a server left that was killed meanwhile.
async function removeOld(prefix: string): Promise<void> {
  const parent = dirname(prefix);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(basename(prefix))) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > HOUR_MS) await rm(path, { recursive: true, force: true });
  }
}
