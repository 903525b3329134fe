import { expect, test } from "vitest";

import { BaseStore } from "../../src/bridge/base-store.ts";
import { rebase } from "../../src/bridge/merge-lists.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { row } from "./model-of.ts";

const [A, B] = [row("a"), row("b")];
const withB: Parameters<BaseStore["prepare"]>[0] = (bases) =>
  rebase(bases, { deletions: [], updates: [] }, [B]);

test("a bridge that was killed knows what it had merged, whether or not it came to the end of that", () => {
  const folder = temporaryFolder();
  const reopened = (): BaseStore => new BaseStore(folder, "registry", 100);
  const store = reopened();
  store.add({ rows: [A], eventId: 7 });
  store.prepare(withB, 9);
  const killed = reopened();
  expect(killed.preparedAfter).toBe(9);
  expect(killed.newest?.rows).toEqual([A]);
  killed.commit();
  expect(killed.newest?.rows).toEqual([A, B]);

  store.commit();
  expect(store.newest?.rows).toEqual([A, B]);
  store.settle();
  expect(reopened().preparedAfter).toBeUndefined();
  expect(reopened().newest?.rows).toEqual([A, B]);
});

test("a merge that was prepared and not done is forgotten with the next one", () => {
  const folder = temporaryFolder();
  const store = new BaseStore(folder, "registry", 100);
  store.add({ rows: [A], eventId: 7 });
  store.prepare(withB, 9);
  store.prepare((bases) => bases, 9);
  expect(new BaseStore(folder, "registry", 100).preparedAfter).toBeUndefined();
  expect(store.newest?.rows).toEqual([A]);
});
