import { AsyncResource } from 'node:async_hooks';

/** Runs code of the user's in an async context of its own, a copy of `parent`: what it enters there ends with it. */
export function runApart<T>(parent: AsyncResource, work: () => T): T {
  return parent.runInAsyncScope(() => new AsyncResource('SEALWIRE_EVENT').runInAsyncScope(work));
}
