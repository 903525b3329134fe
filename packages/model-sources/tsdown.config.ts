import { library } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

const config: UserConfig = { ...library, entry: { index: "src/index.ts" } };

export default config;
