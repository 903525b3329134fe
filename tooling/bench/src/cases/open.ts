import { openRegistry } from "@cortex/model-db";

import type { Case } from "../case.ts";
import { openRaw, STABLE_COLUMNS } from "../contenders/raw.ts";
import { BOOT, TICK } from "../contenders/running.ts";
import { aliasAt } from "../dataset.ts";
import { measure } from "../harness.ts";

const READ = "registry, mode read";
const WRITE = "registry, mode create";
const RAW = "raw better-sqlite3";

/** Opening, one resolve and closing, with everything loaded already. */
export const open: Case = {
  name: "open",
  async run({ fixture, effort }) {
    const path = fixture.copy("own");
    const name = aliasAt(Math.floor(fixture.size / 2));
    // Somebody else has it open, as is usual: who leaves last writes the log back.
    const other = openRaw(path);
    other.prepare("SELECT 1 FROM model LIMIT 1").get();
    const through = async (mode: "read" | "create"): Promise<void> => {
      const registry = await openRegistry(path, { mode });
      await registry.models.resolve(name);
      await registry.close();
    };
    const measurement = await measure(
      [
        { name: READ, isAsync: true, run: () => through("read") },
        { name: WRITE, isAsync: true, run: () => through("create") },
        {
          name: RAW,
          run() {
            const connection = openRaw(path, { readonly: true });
            connection
              .prepare(
                `SELECT ${STABLE_COLUMNS} FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name = ?`,
              )
              .get(BOOT, TICK, name);
            connection.close();
          },
        },
      ],
      effort.reads,
    );
    other.close();
    return {
      tables: [{ title: "open, resolve one, close", reference: RAW, measurement }],
    };
  },
};
