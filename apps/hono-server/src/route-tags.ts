/** The groups of routes, in the order in which people read of them. */
export const ROUTE_TAGS = {
  models: "What models there are.",
  bulk: "Many models at once, a line for each.",
  aliases: "Names: each means one model or none.",
  tags: "Labels of models.",
  history: "What happened to models.",
  events: "What happens to models, as it happens.",
  runs: "Which models run, and for whom.",
  transfers: "Which models are being fetched.",
  maintenance: "Check and backup, for administrators.",
  service: "For whoever watches over the service.",
  ollama: "For clients of Ollama.",
  "lm-studio": "For clients of LM Studio.",
  cortex: "For clients of the old cortex program.",
} as const;

/** One group of routes. */
export type RouteTag = keyof typeof ROUTE_TAGS;
