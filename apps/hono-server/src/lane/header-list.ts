/** Headers as Node writes them with the least work: names and values in turns. */
export type HeaderList = (string | number)[];

/** Sets a header of a list, in place of the one of that name. */
export function setHeader(list: HeaderList, name: string, value: string | number): void {
  for (let index = 0; index < list.length; index += 2) {
    if (list[index] !== name) continue;
    list[index + 1] = value;
    return;
  }
  list.push(name, value);
}
