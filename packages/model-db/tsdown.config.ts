import { library } from "@cortex/tooling-tsdown";
import type { UserConfig } from "tsdown";

const config: UserConfig = {
  ...library,
  entry: {
    index: "src/index.ts",
    "durable-files": "src/maintenance/durable-files.ts",
    "file-lock": "src/maintenance/file-lock.ts",
  },
};

export default config;
