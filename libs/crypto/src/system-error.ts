/** The name that the operating system gives a failure, such as `EACCES`; for messages and decisions. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown reason';
}
