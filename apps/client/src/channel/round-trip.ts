/** Resolves with the time to a NATS server and back. The library measures it in whole milliseconds, which is 0 on one machine. */
export async function roundTripMs(connection: { rtt(): Promise<unknown> }): Promise<number> {
  const startMs = performance.now();
  await connection.rtt();
  return performance.now() - startMs;
}
