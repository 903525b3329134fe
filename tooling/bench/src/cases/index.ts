import type { Case } from "../case.ts";
import { bulk } from "./bulk.ts";
import { change } from "./change.ts";
import { coldStart } from "./cold-start.ts";
import { concurrent } from "./concurrent.ts";
import { create } from "./create.ts";
import { deepPage } from "./deep-page.ts";
import { migration } from "./migration.ts";
import { open } from "./open.ts";
import { page } from "./page.ts";
import { recompile } from "./recompile.ts";
import { resolveMany } from "./resolve-many.ts";
import { resolve } from "./resolve.ts";
import { search } from "./search.ts";
import { sync } from "./sync.ts";
import { writers } from "./writers.ts";

/** Every case, in the order in which they are run. */
export const CASES: readonly Case[] = [
  resolve,
  resolveMany,
  page,
  deepPage,
  search,
  create,
  change,
  concurrent,
  bulk,
  open,
  sync,
  recompile,
  writers,
  coldStart,
  migration,
];
