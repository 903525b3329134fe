import { createModel } from "./models/create.ts";
import { deleteModel } from "./models/delete.ts";
import { getModel } from "./models/get.ts";
import { listModels } from "./models/list.ts";
import { updateModel } from "./models/update.ts";

/** The routes of the registry itself; the typed client is made of them. */
export const NATIVE_ROUTES = [listModels, createModel, getModel, updateModel, deleteModel] as const;
