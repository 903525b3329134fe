export { createApp, type App, type AppOptions } from "./app.ts";
export { createNodeServer } from "./guard/node-server.ts";
