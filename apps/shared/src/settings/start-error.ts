/** The reason why the app cannot start, in one line with a remedy. It is printed without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
