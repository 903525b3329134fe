import type { RequestContext } from "../../env.ts";

/**
 * Whether Ollama's own program asks, or another that is made with its Go client: they cut a digest to 12
 * characters and end where it is shorter, so they cannot do without one. It says so in its `User-Agent`:
 * https://github.com/ollama/ollama/blob/main/api/client.go.
 */
export function isOllamaProgram(c: RequestContext): boolean {
  return c.req.header("user-agent")?.startsWith("ollama/") ?? false;
}
