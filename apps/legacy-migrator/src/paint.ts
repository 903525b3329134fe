const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** Puts a style around a text, or returns it as it is. */
export type Paint = (style: keyof typeof CODES, text: string) => string;

/** Colours, unless `--no-color`, `NO_COLOR` (no-color.org) or a stream that is no terminal forbids them. */
export function painter(
  stream: NodeJS.WriteStream,
  color: boolean,
  env: NodeJS.ProcessEnv = process.env,
): Paint {
  const isOn = color && !env["NO_COLOR"] && env["TERM"] !== "dumb" && stream.isTTY;
  if (!isOn) return (_style, text) => text;
  return (style, text) => `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`;
}
