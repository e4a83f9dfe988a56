/** The name that the operating system gives a failure, such as `EACCES`; for messages and decisions. */
export function errnoOf(error: unknown): string {
  // No `instanceof`: under Jest the errors of Node are of another realm.
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown reason';
}
