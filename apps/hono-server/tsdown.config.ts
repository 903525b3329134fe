import { library } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

const config: UserConfig = {
  ...library,
  entry: { index: "src/index.ts", client: "src/client.ts", main: "src/main.ts" },
  exports: { ...(library.exports as object), exclude: ["main"] },
};

export default config;
