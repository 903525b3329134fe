import { library } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

const config: UserConfig = {
  ...library,
  entry: { index: "src/index.ts", client: "src/client.ts", main: "src/main.ts" },
  exports: { ...(library.exports as object), exclude: ["main"] },
  // The types are inferred from schemas, which TypeScript itself has to do; that it is version 7 is warned of.
  dts: { sourcemap: true, generator: "tsgo" },
  failOnWarn: false,
};

export default config;
