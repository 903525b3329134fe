/** Repairs a damaged registry from its backup and acknowledges it. */
import { join } from "node:path";

import { repairRegistry } from "@cortex/model-db";

import { BACKUP_FOLDER, REGISTRY_FILE } from "../fixtures.ts";
import { acknowledge } from "./acknowledge.ts";

const { folder } = JSON.parse(process.argv[2]!) as { folder: string };
await repairRegistry(join(folder, REGISTRY_FILE), { from: join(folder, BACKUP_FOLDER) });
acknowledge({ of: "repair", position: 1 });
