import { html } from "hono/html";

/** A piece of a page, with everything in it escaped. */
export type Html = ReturnType<typeof html> | "";

/** JSON Schema as our documents have it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** What a value can be, in a few words: `string or null`, `list of Model`. */
export function typeOf(schema: Schema): Html {
  const name = nameOf(schema);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined) {
    return between(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      " or ",
    );
  }
  const parts = schema.anyOf ?? schema.oneOf;
  if (parts !== undefined) return between(parts.map(typeOf), " or ");
  if (schema.allOf !== undefined) return between(schema.allOf.map(typeOf), " and ");
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) return html`anything`;
  return between(
    types.map((type) => (type === "array" ? html`list of ${typeOf(schema.items ?? {})}` : html`${type}`)),
    " or ",
  );
}

/** The properties of an object, in a table; of anything else nothing. */
export function propertiesOf(schema: Schema): Html {
  const { properties, required = [] } = schema;
  if (properties === undefined || Object.keys(properties).length === 0) return "";
  return html`<table>
    <thead>
      <tr>
        <th>Field</th>
        <th>What it is</th>
        <th>Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${Object.entries(properties).map(
        ([name, field]) =>
          html`<tr>
            <td><code>${name}</code>${required.includes(name) ? "" : html` <small>optional</small>`}</td>
            <td>${typeOf(field)} ${limitsOf(field)}</td>
            <td>${prose(field.description)} ${inside(field)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** What else a value has to be: its bounds, its form, its default. */
export function limitsOf(schema: Schema): Html {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, format, pattern } = schema;
  const known: readonly (readonly [string, unknown])[] = [
    ["from", isSafeEdge(minimum) ? undefined : minimum],
    ["to", isSafeEdge(maximum) ? undefined : maximum],
    ["at least, in characters:", minLength],
    ["at most, in characters:", maxLength],
    ["at least, in number:", minItems],
    ["at most, in number:", maxItems],
    ["format", format],
    ["like", pattern],
    ["default:", schema.default === undefined ? undefined : JSON.stringify(schema.default)],
  ];
  const said = known.filter(([, value]) => value !== undefined);
  if (said.length === 0) return "";
  return html`<small>${said.map(([word, value]) => `${word} ${String(value)}`).join(", ")}</small>`;
}

/** Text of ours: what stands between backticks is code. */
export function prose(text: string | undefined): Html {
  if (text === undefined) return "";
  const parts = text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
  return html`${parts}`;
}

function inside(field: Schema): Html {
  const nested = field.items ?? field;
  if (nested.$ref !== undefined) return "";
  return propertiesOf(nested);
}

function nameOf({ $ref }: Schema): string | undefined {
  return $ref?.slice($ref.lastIndexOf("/") + 1);
}

function between(parts: readonly Html[], word: string): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html`${word}${part}`))}`;
}

// The edge of what JavaScript can count says nothing about a field.
function isSafeEdge(bound: number | undefined): boolean {
  return bound !== undefined && Math.abs(bound) === Number.MAX_SAFE_INTEGER;
}
