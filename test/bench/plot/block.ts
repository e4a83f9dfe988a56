/** Puts `text` between the comments that mark a block of a Markdown document as generated. */
export function replaceBlock(document: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}: written by npm run bench:plot -->`, `<!-- end of ${name} -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`The document has no block called ${name}`);
  return `${document.slice(0, from + start.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}
