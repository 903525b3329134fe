import { deleteAlias } from "./aliases/delete.ts";
import { listAliases } from "./aliases/list.ts";
import { putAlias } from "./aliases/put.ts";
import { exportModels } from "./export/get.ts";
import { listHistory } from "./history/list.ts";
import { downloadBackup } from "./maintenance/backup.ts";
import { checkMaintenance } from "./maintenance/check.ts";
import { bulkCreateModels } from "./models/bulk-create.ts";
import { bulkDeleteModels } from "./models/bulk-delete.ts";
import { createModel } from "./models/create.ts";
import { deleteModel } from "./models/delete.ts";
import { getModel } from "./models/get.ts";
import { listModels } from "./models/list.ts";
import { updateModel } from "./models/update.ts";
import { listNames } from "./names/list.ts";
import { createRun } from "./runs/create.ts";
import { deleteRun } from "./runs/delete.ts";
import { listRuns } from "./runs/list.ts";
import { renewRun } from "./runs/renew.ts";
import { changeTags } from "./tags/change.ts";
import { listTags } from "./tags/list.ts";
import { cancelTransfer } from "./transfers/cancel.ts";
import { createTransfer } from "./transfers/create.ts";
import { listenToTransfer } from "./transfers/events.ts";
import { getTransfer } from "./transfers/get.ts";
import { listTransfers } from "./transfers/list.ts";
import { pauseTransfer } from "./transfers/pause.ts";
import { resumeTransfer } from "./transfers/resume.ts";

/** The routes of the registry itself; the typed client is made of them. */
export const NATIVE_ROUTES = [
  listModels,
  createModel,
  getModel,
  updateModel,
  deleteModel,
  bulkCreateModels,
  bulkDeleteModels,
  exportModels,
  listAliases,
  putAlias,
  deleteAlias,
  listNames,
  listTags,
  changeTags,
  listHistory,
  listRuns,
  createRun,
  renewRun,
  deleteRun,
  listTransfers,
  createTransfer,
  // Before the one whose path could be read as its number.
  listenToTransfer,
  getTransfer,
  pauseTransfer,
  resumeTransfer,
  cancelTransfer,
  checkMaintenance,
  downloadBackup,
] as const;
