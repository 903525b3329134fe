import type { Paint } from "./color.ts";
import { widthOf } from "./width.ts";

/** Lines of `name  value`, aligned; a value of several lines goes on below itself. Empty ones are left out. */
export function toFields(fields: readonly (readonly [name: string, value: string])[], paint: Paint): string {
  const given = fields.filter(([, value]) => value !== "");
  const width = Math.max(0, ...given.map(([name]) => widthOf(name)));
  return given
    .map(([name, value]) => {
      const label = paint("bold", name) + " ".repeat(width - widthOf(name) + 2);
      return `${label}${value.split("\n").join(`\n${" ".repeat(width + 2)}`)}\n`;
    })
    .join("");
}
