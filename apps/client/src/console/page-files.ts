import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const { resolve } = createRequire(import.meta.url);
// The same from `src/` and from `dist/`.
const ownFile = (name: string): string => fileURLToPath(new URL(`../../page/${name}`, import.meta.url));

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

const OWN_FILES = [
  'index.html',
  'page.css',
  'page.js',
  'access.js',
  'attacks.js',
  'call.js',
  'call-form.js',
  'chart.js',
  'connections.js',
  'format.js',
  'icon.svg',
  'row-list.js',
  'text-lines.js',
  'turn.js',
  'wire-view.js',
];

const LIBRARY_FILES = {
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};

interface PageFile {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** The files of the page by name. They are read once, and no other file can be requested. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ...OWN_FILES.map((name) => [name, read(ownFile(name))] as const),
  ...Object.entries(LIBRARY_FILES).map(([name, path]) => [name, read(resolve(path))] as const),
]);

function read(path: string): PageFile {
  return { contentType: CONTENT_TYPES.get(extname(path)) ?? 'application/octet-stream', bytes: readFileSync(path) };
}
