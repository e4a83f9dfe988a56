const CHANNEL = 'sealwire-console';

/**
 * The times in which this page reads the wire tap. A browser opens at most six connections to the app for all its tabs,
 * and each tap holds one: a page that starts to read ends the turns of the hidden ones, which wait until they are shown.
 */
export class Turn {
  /** @readonly */
  #others = new BroadcastChannel(CHANNEL);
  #ending = new AbortController();

  constructor() {
    this.#others.addEventListener('message', () => {
      if (document.hidden) this.#ending.abort();
    });
  }

  /** Waits until the page is shown. Returns the signal that ends its turn. */
  async begin() {
    while (document.hidden)
      await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
    this.#others.postMessage('begin');
    this.#ending = new AbortController();
    return this.#ending.signal;
  }
}
