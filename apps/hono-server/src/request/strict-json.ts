import { invalidInput } from "./invalid-input.ts";

/** Nothing that the registry keeps is deeper than 32 levels; around it stand a few more. */
const MAX_DEPTH = 40;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * JSON that means the same to every reader. `JSON.parse` takes the last of two equal keys where another
 * program takes the first, and any depth, over which later steps stumble.
 *
 * @throws RegistryError `invalid_input` for no JSON, more than 40 levels, a key that stands twice in an
 *   object, and keys that mean an object's prototype in JavaScript.
 */
export function parseStrictJson(text: string): unknown {
  checkStructure(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalidInput("body", `What was sent is no JSON: ${(error as Error).message}.`);
  }
}

// One pass over the text, before anything is made of it. Where the text is no JSON, what is found here may be
// wrong, but it is refused in any case.
function checkStructure(text: string): void {
  // The keys of each object around; `undefined` for a list.
  const around: (Set<string> | undefined)[] = [];
  // The key before the object that begins next.
  let lastKey: string | undefined;
  const outerKeys: (string | undefined)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        const keys = around.at(-1);
        if (keys !== undefined && isKey(text, end)) {
          lastKey = keyOf(text, at, end);
          checkKey(lastKey, keys, outerKeys.at(-1));
        }
        at = end - 1;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        if (around.length === MAX_DEPTH) {
          throw invalidInput("body", `What was sent is more than ${MAX_DEPTH} levels deep.`);
        }
        around.push(text.charCodeAt(at) === 0x7b ? new Set() : undefined);
        outerKeys.push(lastKey);
        lastKey = undefined;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        around.pop();
        outerKeys.pop();
        lastKey = undefined;
        break;
      default:
    }
  }
}

/** The index after a string's closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  return at;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return text.charCodeAt(at) === COLON;
}

function keyOf(text: string, start: number, end: number): string {
  const inside = text.slice(start + 1, end - 1);
  if (!inside.includes("\\")) return inside;
  try {
    return JSON.parse(text.slice(start, end)) as string;
  } catch {
    throw invalidInput("body", "What was sent is no JSON.");
  }
}

function checkKey(key: string, keys: Set<string>, outerKey: string | undefined): void {
  if (key === "__proto__" || (key === "prototype" && outerKey === "constructor")) {
    throw invalidInput("body", `What was sent must not have a key ${JSON.stringify(key)} there.`);
  }
  if (keys.has(key)) throw invalidInput("body", `What was sent has ${shown(key)} twice in one object.`);
  keys.add(key);
}

function shown(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 79)}…` : key);
}
