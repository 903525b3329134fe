import { join } from "node:path";

import { openRegistry, type NewModel } from "@cortex/model-db";

import { atMost, type Case } from "../case.ts";
import * as drizzle from "../contenders/drizzle-writer.ts";
import { openDrizzle } from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely-writer.ts";
import { openKysely } from "../contenders/kysely.ts";
import { readModelList, rewriteModelList, writeModelList } from "../contenders/model-list.ts";
import { BARE, EQUAL_WORK, RawWriter } from "../contenders/raw-writer.ts";
import { openRaw } from "../contenders/raw.ts";
import { SyncFloor } from "../contenders/sync-floor.ts";
import { modelAt } from "../dataset.ts";
import { framesPerCommit } from "../frames.ts";
import { measure, type Contender } from "../harness.ts";

const OURS = "registry, models.create";
const RAW = "raw, with history, checksums and search";
const RAW_BARE = "raw, without";
const FLOOR = "its sync floor: as many pages, one fdatasync";
const FIVE_PAGES = "sync floor of a create with neither history nor search: 5 pages";

/** One model, registered durably. */
export const create: Case = {
  name: "create",
  async run({ fixture, effort }) {
    const ownPath = fixture.copy("own");
    const rawPath = fixture.copy("raw");
    const registry = await openRegistry(ownPath, { actor: "bench" });
    const connection = openRaw(rawPath);
    const raw = new RawWriter(connection, EQUAL_WORK);
    const bare = new RawWriter(connection, BARE);
    const query = openKysely(rawPath);
    const orm = openDrizzle(rawPath);
    const floor = new SyncFloor(join(fixture.folder, "floor"));
    const list = join(fixture.folder, "create.list");
    writeModelList(list, fixture.size);

    let made = fixture.size;
    const next = (): NewModel => modelAt(made++);
    const own = (): Promise<unknown> => registry.models.create(next());
    const frames = await framesPerCommit(ownPath, own);
    const bareFrames = await framesPerCommit(rawPath, () => bare.create(next()));
    const contenders: Contender[] = [
      { name: OURS, isAsync: true, run: own },
      { name: RAW, run: () => raw.create(next()) },
      { name: RAW_BARE, run: () => bare.create(next()) },
      {
        name: FLOOR,
        run: (index) => floor.commit(Math.floor((index + 1) * frames) - Math.floor(index * frames)),
      },
      { name: FIVE_PAGES, run: () => floor.commit(5) },
      { name: "Kysely transaction, the same rows", isAsync: true, run: () => kysely.create(query, next()) },
      { name: "Drizzle transaction, the same rows", run: () => drizzle.create(orm, next()) },
      {
        name: "model.list, read and rewritten with fsync",
        run() {
          const lines = readModelList(list);
          const { modelId, authorRepo, alias } = modelAt(made++);
          lines.push({
            modelId,
            authorRepo,
            alias,
            branch: "main",
            configPath: "model.yml",
            status: "READY",
          });
          rewriteModelList(list, lines);
        },
      },
    ];
    const measurement = await measure(contenders, effort.writes);
    await registry.close();
    connection.close();
    await query.destroy();
    orm.$client.close();
    floor.close();
    return {
      tables: [{ title: "one durable create", reference: RAW, measurement }],
      facts: [
        { title: "pages written per create: registry", value: frames, unit: "" },
        {
          title: "pages written per create: without history, checksums, search",
          value: bareFrames,
          unit: "",
        },
        { title: "registry: against its sync floor", value: measurement.ratio(OURS, FLOOR), unit: "times" },
        {
          title: "raw, with history, checksums and search: against the same floor",
          value: measurement.ratio(RAW, FLOOR),
          unit: "times",
        },
        {
          title: "registry: against a sync floor of 5 pages",
          value: measurement.ratio(OURS, FIVE_PAGES),
          unit: "times",
        },
        {
          title: "raw, without: against a sync floor of 5 pages",
          value: measurement.ratio(RAW_BARE, FIVE_PAGES),
          unit: "times",
        },
        {
          title: "what history, checksums and search cost, raw",
          value: measurement.ratio(RAW, RAW_BARE),
          unit: "times",
        },
      ],
      goals: [atMost("create: against the same rows in raw statements", measurement.ratio(OURS, RAW), 1.15)],
    };
  },
};
