export { library as default } from "@cortex/tooling-tsdown";
