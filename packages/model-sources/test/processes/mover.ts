import { openRegistry } from "@cortex/model-db";

import { modelFolders } from "../../src/folders/models-folder.ts";
import { importModels } from "../../src/import/import-models.ts";

/** Moves a model into the models folder of a registry; says when it begins, and when it is done. */
const [location = "", path = ""] = process.argv.slice(2);
await using registry = await openRegistry(location, { actor: "mover" });
const folders = await modelFolders({}, location);
console.log("begins");
const [result] = await importModels(registry, { paths: [path], location, way: "move", folders });
console.log(result?.outcome);
