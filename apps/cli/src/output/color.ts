import { isTerminal } from "./stream.ts";

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** A way to stand out. */
export type Style = keyof typeof CODES;

/** Puts a style around a text, or returns it as it is. */
export type Paint = (style: Style, text: string) => string;

/**
 * Whether output may have colours: never with `--no-color`; else `FORCE_COLOR` decides, then
 * `NO_COLOR` (no-color.org), then whether the stream is a terminal that knows colours.
 */
export function painter(fd: 1 | 2, color: boolean | undefined, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!wantsColor(fd, color, env)) return (_style, text) => text;
  return (style, text) => `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`;
}

function wantsColor(fd: 1 | 2, color: boolean | undefined, env: NodeJS.ProcessEnv): boolean {
  if (color === false) return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (env["NO_COLOR"]) return false;
  return env["TERM"] !== "dumb" && isTerminal(fd);
}
