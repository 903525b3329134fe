/** Bytes that are no page, cell or record of SQLite's file format where one was looked for. */
export class PageDamage extends Error {
  override readonly name = "PageDamage";
}
