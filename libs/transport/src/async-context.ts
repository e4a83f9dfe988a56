import { AsyncResource } from 'node:async_hooks';

/** Runs user code in a copy of the async context of `parent`: an `enterWith` inside does not outlive the call. */
export function runApart<T>(parent: AsyncResource, work: () => T): T {
  return parent.runInAsyncScope(() => new AsyncResource('SEALWIRE_EVENT').runInAsyncScope(work));
}
