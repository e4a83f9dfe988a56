// Project Wycheproof's test vectors, read where they are: beside the repository, not in it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, '../../../shared/vectors/wycheproof');

/** The common part of the files of all algorithms. */
export interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'acceptable' | 'invalid';
}

export interface WycheproofGroup<Case extends WycheproofCase> {
  readonly keySize?: number;
  readonly tests: readonly Case[];
}

export interface WycheproofFile<Case extends WycheproofCase> {
  readonly missing: boolean;
  /** The suffix of a title if the file is missing, which explains why its tests are skipped; empty otherwise. */
  readonly note: string;
  readonly groups: readonly WycheproofGroup<Case>[];
}

export function readWycheproof<Case extends WycheproofCase>(name: string): WycheproofFile<Case> {
  const path = join(DIRECTORY, name);
  const missing = !existsSync(path);
  return {
    missing,
    note: missing ? ` (skipped: ${path} is not there)` : '',
    groups: missing ? [] : parseGroups(readFileSync(path, 'utf8')),
  };
}

function parseGroups<Case extends WycheproofCase>(text: string): readonly WycheproofGroup<Case>[] {
  const file: { readonly testGroups: readonly WycheproofGroup<Case>[] } = JSON.parse(text);
  return file.testGroups;
}
