import { parse } from "yaml";

import { asArray, asObject } from "./json-value.ts";

/** What tools write is a few kilobytes, and to parse more takes long. */
export const MAX_YAML_BYTES: number = 128 * 1024;

// A key with a plain text behind it, or an item of a list: what the tools write.
const PLAIN = /^(?:([A-Za-z_]+):(?: +(.*?))?|( *)- +(.*?))[ \t]*\r?$/;
const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')$/;
const UNUSUAL = /^[&*!|>[{"'%@`]/;

/** Texts of a YAML file, by their keys at its top: a list has several. */
export type YamlTexts = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the texts that stand under keys at the top of a YAML file. Numbers are texts as they were written: an id
 * `007` is no 7. Files as the tools write them are read line by line, since a YAML parser takes a millisecond for
 * each; anything else is left to that.
 *
 * @param keys which; all others are passed over.
 * @throws what the parser says of a file that is no YAML.
 */
export function readYamlTexts(text: string, keys: ReadonlySet<string>): YamlTexts {
  return readPlain(text, keys) ?? readParsed(text, keys);
}

function readPlain(text: string, keys: ReadonlySet<string>): YamlTexts | undefined {
  const texts = new Map<string, string[]>();
  let at: string[] | undefined;
  for (const line of text.replace(/^\ufeff/, "").split("\n")) {
    if (/^[ \t]*(?:#.*|---|\.\.\.)?\r?$/.test(line)) continue;
    const [, key, value, indent, item] = PLAIN.exec(line) ?? [];
    if (key !== undefined) {
      at = keys.has(key) ? [] : undefined;
      if (at === undefined) continue;
      texts.set(key, at);
      if (value === undefined || value === "" || value.startsWith("#")) continue;
      const said = toText(value);
      if (said === undefined) return undefined;
      at.push(said);
    } else if (at !== undefined) {
      const said = item === undefined || indent === undefined ? undefined : toText(item);
      if (said === undefined) return undefined;
      at.push(said);
    }
  }
  return texts;
}

/** A plain or simply quoted text; `undefined` where it takes a parser. */
function toText(written: string): string | undefined {
  const [, double, single] = QUOTED.exec(written) ?? [];
  if (double !== undefined || single !== undefined) return double ?? single;
  if (UNUSUAL.test(written)) return undefined;
  return written.replace(/ +#.*$/, "");
}

function readParsed(text: string, keys: ReadonlySet<string>): YamlTexts {
  const texts = new Map<string, readonly string[]>();
  const document = asObject(parse(text, { logLevel: "silent", uniqueKeys: false, maxAliasCount: 100 }));
  for (const [key, value] of Object.entries(document ?? {})) {
    if (!keys.has(key)) continue;
    const values = Array.isArray(value) ? asArray(value) : [value];
    texts.set(
      key,
      values.flatMap((item) => (typeof item === "string" || typeof item === "number" ? [String(item)] : [])),
    );
  }
  return texts;
}
