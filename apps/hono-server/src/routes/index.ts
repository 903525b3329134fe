import type { Route } from "../route.ts";
import { getModel } from "./models/get.ts";
import { listModels } from "./models/list.ts";

/** Every route, in the order in which they are tried. */
export const ROUTES: readonly Route[] = [listModels, getModel] as readonly Route[];
