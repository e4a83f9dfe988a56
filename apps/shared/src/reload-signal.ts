// Imports nothing, so that a process can install the handler before it loads anything else.

/** SIGHUP, which loads the keys again. One that arrives before the keys is done as soon as they are there. */
export class ReloadSignal {
  #reload: (() => void) | undefined;
  #isPending = false;

  /** Handles SIGHUP, which would otherwise end the process. */
  install(): void {
    process.on('SIGHUP', () => this.#take());
  }

  /** Sets what a signal does from now on. */
  connect(reload: () => void): void {
    this.#reload = reload;
    if (this.#isPending) this.#take();
  }

  #take(): void {
    this.#isPending = this.#reload === undefined;
    this.#reload?.();
  }
}

/** The one of this process. */
export const reloadSignal = new ReloadSignal();
