/** Returns a function that runs `work` at its first call. */
export function once(work: (() => void) | undefined): () => void {
  let left = work;
  return () => {
    const run = left;
    left = undefined;
    run?.();
  };
}
