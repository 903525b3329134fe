export { createApp, type App, type AppOptions } from "./app.ts";
export { createNodeServer } from "./guard/node-server.ts";
export type { SourcesOptions } from "./sources/sources.ts";
