/** Passes a message to Nest, whose callbacks return promises. `onFailed` is called if that throws or rejects. */
export function passOn(pass: () => unknown, onFailed: (error: unknown) => void): void {
  void (async () => pass())().catch(onFailed);
}
