import { openRegistry } from "@cortex/model-db";

import { atLeast, type Case } from "../case.ts";
import { aliasAt } from "../dataset.ts";
import { measure } from "../harness.ts";

const CALLERS = 16;
const TOGETHER = "16 at once";
const APART = "16 one by one";

/** Sixteen changes of one process at once: they share a wait for the disk. */
export const concurrent: Case = {
  name: "concurrent",
  async run({ fixture, effort }) {
    const registry = await openRegistry(fixture.copy("own"), { actor: "bench" });
    const names = Array.from({ length: CALLERS }, (_, index) => aliasAt(index % fixture.size));
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
      ],
      effort.writes,
    );
    await registry.close();
    return {
      tables: [{ title: "16 durable changes in one process", reference: APART, measurement }],
      goals: [atLeast("16 changes at once: faster than one by one", measurement.ratio(APART, TOGETHER), 5)],
    };
  },
};
