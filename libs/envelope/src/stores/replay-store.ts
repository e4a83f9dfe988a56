/**
 * The ids of messages that were handled, shared by the processes that receive the same messages. A window in each process
 * is not enough with a queue group: a broker can give a message to one process and its copy to another.
 */
export interface ReplayStore {
  /**
   * Resolves with true for the first claim of this id, and with false for every other one within `ttlMs`. A message may
   * be handled only if the promise resolves with true. If the promise rejects, the message must be refused.
   *
   * @param id - {@link Opened.id}: only of an envelope that was opened.
   * @param ttlMs - At least twice the `maxAgeMs` of the opener.
   */
  claim(id: string, ttlMs: number): Promise<boolean>;
}
