import { createHash } from "node:crypto";

import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

import { limitsOf, propertiesOf, prose, typeOf, type Html, type Schema } from "./schema.ts";
import { STYLE } from "./style.ts";

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Content {
  readonly [type: string]: { readonly schema?: Schema; readonly example?: unknown };
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<Record<string, Answer>>;
}

interface Answer {
  readonly description?: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema?: Schema }>>;
}

/** An OpenAPI document, as far as the page shows it. */
export interface Documented {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly id: string;
}

/** What a browser may do with the page: show it, and nothing else. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** An OpenAPI document as a page for people. It loads nothing and runs no script. */
export function docsPage({ info, tags = [], paths = {}, components = {} }: Documented): string {
  const entries = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({
      method: method.toUpperCase(),
      path,
      operation,
      id: operation.operationId ?? `${method}-${path}`,
    })),
  );
  const groups = tags.map(({ name, description }) => ({
    name,
    description,
    of: entries.filter(({ operation }) => operation.tags?.[0] === name),
  }));
  const schemas = Object.entries(components.schemas ?? {});
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${info.title}: HTTP routes</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <nav aria-label="Routes">
          <h2>Routes</h2>
          ${groups.map(({ name, of }) => contents(name, of))}
          <h3>Schemas</h3>
          <ul>
            ${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}
          </ul>
        </nav>
        <main>
          <h1>${info.title}</h1>
          ${introduction(info.description)}
          ${groups.map(
            ({ name, description, of }) =>
              html`<h2 id="tag-${name}">${name}</h2>
                <p>${prose(description)}</p>
                ${of.map(describe)}`,
          )}
          <h2>Schemas</h2>
          ${schemas.map(
            ([name, schema]) =>
              html`<section id="schema-${name}">
                <h3>${name}</h3>
                <p>${prose(schema.description)}</p>
                ${propertiesOf(schema) === "" ? html`<p>${typeOf(schema)}</p>` : propertiesOf(schema)}
              </section>`,
          )}
        </main>
      </body>
    </html> `;
  return (page as HtmlEscapedString).toString();
}

function contents(tag: string, entries: readonly Entry[]): Html {
  return html`<h3><a href="#tag-${tag}">${tag}</a></h3>
    <ul>
      ${entries.map(
        ({ method, path, id }) =>
          html`<li>
            <a href="#${id}"><b>${method}</b>${path}</a>
          </li>`,
      )}
    </ul>`;
}

function introduction(description: string | undefined): Html {
  return html`<p>${prose(description)}</p>
    <p>
      The same as data, in OpenAPI 3.1: <a href="openapi.json">openapi.json</a>. Once the registry has users,
      every request names a token: <code>Authorization: Bearer ctx_…</code> A failure is an
      <a href="#schema-Error">Error</a>, with one of the codes that stand beside its status.
    </p>
    <pre>curl http://127.0.0.1:39281/v1/models -H "Authorization: Bearer $TOKEN"</pre>`;
}

function describe({ method, path, operation, id }: Entry): Html {
  const { summary, description, parameters = [], requestBody, responses = {} } = operation;
  const answers = Object.entries(responses);
  return html`<section id="${id}">
    <h3><b class="${method.toLowerCase()}">${method}</b> <code>${path}</code></h3>
    <p><strong>${prose(summary)}</strong> ${prose(description)}</p>
    ${
      parameters.length === 0
        ? ""
        : html`<h4>What it takes</h4>
            <table>
              <thead>
                <tr>
                  <th>Parameter</th>
                  <th>What it is</th>
                  <th>Meaning</th>
                </tr>
              </thead>
              <tbody>
                ${parameters.map(parameterRow)}
              </tbody>
            </table>`
    }
    ${
      requestBody?.content === undefined
        ? ""
        : html`<h4>Its body</h4>
            ${contentOf(requestBody.content)}`
    }
    <h4>What it answers</h4>
    ${answers.filter(([status]) => !isFailure(status)).map(answer)}
    <ul class="failures">
      ${answers
        .filter(([status]) => isFailure(status))
        .map(([status, { description: codes }]) => html`<li><b>${status}</b> ${prose(codes)}</li>`)}
    </ul>
  </section>`;
}

function answer([status, { description, headers = {}, content = {} }]: [string, Answer]): Html {
  return html`<p><b>${status}</b> ${prose(description)}</p>
    ${Object.entries(headers).map(
      ([name, header]) =>
        html`<p><code>${name}</code> ${prose(header.description ?? header.schema?.description)}</p>`,
    )}
    ${contentOf(content)}`;
}

// All failures have one body.
function isFailure(status: string): boolean {
  return status >= "4";
}

function parameterRow({ name, in: place, required = false, description, schema = {} }: Parameter): Html {
  return html`<tr>
    <td><code>${name}</code> <small>${place}${required ? "" : ", optional"}</small></td>
    <td>${typeOf(schema)} ${limitsOf(schema)}</td>
    <td>${prose(description ?? schema.description)}</td>
  </tr>`;
}

function contentOf(content: Content): Html {
  return html`${Object.entries(content).map(
    ([type, { schema, example }]) =>
      html`<p><code>${type}</code> ${schema === undefined ? "" : typeOf(schema)}</p>
        ${schema === undefined || schema.$ref !== undefined ? "" : propertiesOf(schema)}
        ${example === undefined ? "" : html`<pre>${textOf(example)}</pre>`}`,
  )}`;
}

function textOf(example: unknown): string {
  return typeof example === "string" ? example : JSON.stringify(example, null, 2);
}
