/** Returns the code of a failed system call, such as `EACCES`. */
export function errnoOf(error: unknown): string {
  // No `instanceof`: under Jest, Node errors belong to another realm.
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown reason';
}
