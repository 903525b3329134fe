import { dereference } from "@readme/openapi-parser";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

import { openApiDocument } from "../../src/openapi.ts";
import { ROUTES } from "../../src/routes/index.ts";

/** A JSON Schema, as far as the document uses it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxItems?: number;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface OperationObject {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

/** What the OpenAPI document says of a route: what it takes, and what its answers look like. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly type: string; readonly schema: Schema } | undefined;
  /** @returns what is wrong with an answer; `undefined` where it is as documented. */
  readonly faultOf: (status: number, contentType: string, body: string) => string | undefined;
}

/** Every operation of the service's own document. */
export async function readOperations(): Promise<Operation[]> {
  const text = JSON.stringify(openApiDocument(ROUTES));
  const { paths } = (await dereference(JSON.parse(text) as never)) as unknown as {
    paths: Record<string, Record<string, OperationObject>>;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { parameters = [], requestBody, responses }]) => {
      const [body] = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => ({
        type,
        schema,
      }));
      return { method, path, parameters, body, faultOf: checkerOf(ajv, responses) };
    }),
  );
}

function checkerOf(ajv: Ajv2020, responses: OperationObject["responses"]): Operation["faultOf"] {
  const checks = new Map<string, ValidateFunction>();
  return (status, contentType, body) => {
    const response = responses[status];
    if (response === undefined) return `the status ${status} is not documented: ${body.slice(0, 200)}`;
    const content = Object.entries(response.content ?? {});
    if (content.length === 0)
      return body === "" ? undefined : `there is a body with ${status}: ${body.slice(0, 200)}`;
    // A client may prefer not to be told what it made.
    if (status === 201 && body === "") return undefined;
    const found = content.find(([type]) => type.split(";")[0] === contentType.split(";")[0]);
    if (found === undefined) return `${contentType} is not documented for ${status}`;
    if (contentType !== "application/json") return undefined;
    const key = `${status} ${contentType}`;
    const check = checks.get(key) ?? ajv.compile(found[1].schema);
    checks.set(key, check);
    return check(JSON.parse(body)) ? undefined : `${ajv.errorsText(check.errors)}: ${body.slice(0, 300)}`;
  };
}
