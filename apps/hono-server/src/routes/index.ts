import type { Route } from "../route.ts";
import { addRemoteModel } from "./cortex/add.ts";
import { deleteOldModel } from "./cortex/delete.ts";
import { getOldModel } from "./cortex/get.ts";
import { importOldModel } from "./cortex/import.ts";
import { listOldModels } from "./cortex/list.ts";
import { pullModel } from "./cortex/pull.ts";
import { startModel } from "./cortex/start.ts";
import { getModelStatus } from "./cortex/status.ts";
import { stopPull } from "./cortex/stop-pull.ts";
import { stopModel } from "./cortex/stop.ts";
import { listenToEvents } from "./events/listen.ts";
import { getHealth } from "./healthz/get.ts";
import { getLmStudioModel } from "./lm-studio/get.ts";
import { listLmStudioModelsV1 } from "./lm-studio/list-v1.ts";
import { listLmStudioModels } from "./lm-studio/list.ts";
import { getMetrics } from "./metrics/get.ts";
import { NATIVE_ROUTES } from "./native.ts";
import { copyOllamaModel } from "./ollama/copy.ts";
import { deleteOllamaModel } from "./ollama/delete.ts";
import { listOllamaRunningModels } from "./ollama/ps.ts";
import { pullOllamaModel } from "./ollama/pull.ts";
import { getOllamaGreeting } from "./ollama/root.ts";
import { showOllamaModel } from "./ollama/show.ts";
import { listOllamaModels } from "./ollama/tags.ts";
import { getOllamaVersion } from "./ollama/version.ts";
import { getReadiness } from "./readyz/get.ts";

/** What clients of Ollama ask for. */
const OLLAMA = [
  getOllamaGreeting,
  listOllamaModels,
  listOllamaRunningModels,
  showOllamaModel,
  copyOllamaModel,
  pullOllamaModel,
  deleteOllamaModel,
  getOllamaVersion,
];

/** What clients of LM Studio ask for. */
const LM_STUDIO = [listLmStudioModels, getLmStudioModel, listLmStudioModelsV1];

/** What clients of the old program ask for. */
const CORTEX = [
  ...stopPull,
  listOldModels,
  ...getModelStatus,
  getOldModel,
  deleteOldModel,
  ...startModel,
  ...stopModel,
  ...addRemoteModel,
  ...pullModel,
  ...importOldModel,
];

/** What those ask for who watch over the registry and the service. */
const WATCHING = [listenToEvents, getMetrics, getHealth, getReadiness];

/** Every route, in the order in which they are tried: `status` of the old program is no model's id. */
export const ROUTES: readonly Route[] = [
  ...CORTEX,
  ...NATIVE_ROUTES,
  ...WATCHING,
  ...OLLAMA,
  ...LM_STUDIO,
] as readonly Route[];
