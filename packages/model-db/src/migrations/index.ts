import { createModel } from "./0001-model.ts";
import { createHistory } from "./0002-history.ts";
import { createRun } from "./0003-run.ts";
import { createSearch } from "./0004-search.ts";
import { createRegistry } from "./0005-registry.ts";
import { createOldClients } from "./0006-old-clients.ts";
import { createAccess } from "./0007-access.ts";
import { createIdempotentAnswer } from "./0008-idempotent-answer.ts";
import { createTransfer } from "./0009-transfer.ts";
import { createFileDigest } from "./0010-file-digest.ts";
import { createFileIndex } from "./0011-file-index.ts";
import { createEventIndex } from "./0012-event-index.ts";
import { createSearchPages } from "./0013-search-pages.ts";
import type { Migration } from "./migration.ts";

/** Every migration, in order; the version of the last is the version of the schema. */
export const MIGRATIONS: readonly Migration[] = [
  createModel,
  createHistory,
  createRun,
  createSearch,
  createRegistry,
  createOldClients,
  createAccess,
  createIdempotentAnswer,
  createTransfer,
  createFileDigest,
  createFileIndex,
  createEventIndex,
  createSearchPages,
];
