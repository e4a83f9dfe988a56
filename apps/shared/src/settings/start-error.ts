/** Why the app cannot start, in one line that says what to do. Printed as it is, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
