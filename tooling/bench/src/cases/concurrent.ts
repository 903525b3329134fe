import { openRegistry } from "@cortex/model-db";

import { atLeast, type Case } from "../case.ts";
import { EQUAL_WORK, RawWriter } from "../contenders/raw-writer.ts";
import { openRaw } from "../contenders/raw.ts";
import { aliasAt } from "../dataset.ts";
import { measure } from "../harness.ts";

const CALLERS = 16;
const TOGETHER = "16 at once";
const APART = "16 one by one";
const RAW_TOGETHER = "raw, 16 in one transaction, a savepoint each";
const RAW_APART = "raw, 16 one by one";

/** Sixteen changes of one process at once: they share a wait for the disk. */
export const concurrent: Case = {
  name: "concurrent",
  async run({ fixture, effort }) {
    const registry = await openRegistry(fixture.copy("own"), { actor: "bench" });
    const names = Array.from({ length: CALLERS }, (_, index) => aliasAt(index % fixture.size));
    const connection = openRaw(fixture.copy("raw"));
    const raw = new RawWriter(connection, EQUAL_WORK);
    let pinned = false;
    const update = (name: string): Promise<unknown> => registry.models.update(name, { pinned });
    const measurement = await measure(
      [
        {
          name: TOGETHER,
          isAsync: true,
          run() {
            pinned = !pinned;
            return Promise.all(names.map(update));
          },
        },
        {
          name: APART,
          isAsync: true,
          async run() {
            pinned = !pinned;
            for (const name of names) await update(name);
          },
        },
        { name: RAW_TOGETHER, run: () => raw.togglePins(names, Date.now()) },
        {
          name: RAW_APART,
          run() {
            for (const name of names) raw.togglePin(name, Date.now());
          },
        },
      ],
      effort.writes,
    );
    await registry.close();
    connection.close();
    return {
      tables: [{ title: "16 durable changes in one process", reference: APART, measurement }],
      facts: [
        {
          title: "raw statements at once: faster than one by one",
          value: measurement.ratio(RAW_APART, RAW_TOGETHER),
          unit: "times",
        },
      ],
      goals: [atLeast("16 changes at once: faster than one by one", measurement.ratio(APART, TOGETHER), 5)],
    };
  },
};
