import { failureOf, reasonOf } from './call.js';

const RETRY_MS = 1000;

/** What the app says about itself, and the token that its calls need. The token is kept in memory only. */
export class Access {
  settings;
  #token = '';

  constructor(settings) {
    this.settings = settings;
  }

  /** @param onFailure - Called with the reason of each attempt that fails; the next one follows. */
  static async load(onFailure) {
    for (;;) {
      try {
        return new Access(await readSettings());
      } catch (failure) {
        onFailure(reasonOf(failure));
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** The app may have started again with other settings. If it does not answer, the earlier ones stay. */
  async refresh() {
    this.settings = await readSettings().catch(() => this.settings);
  }

  get isReady() {
    return !this.settings.needsToken || this.#token !== '';
  }

  use(token) {
    this.#token = token;
  }

  /** The app has refused the token, or the call without one. */
  forgetToken() {
    this.#token = '';
    this.settings = { ...this.settings, needsToken: true };
  }

  fetch(path, { headers = {}, ...options } = {}) {
    const authorization = this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` };
    return fetch(path, { ...options, headers: { ...headers, ...authorization } });
  }
}

async function readSettings() {
  const response = await fetch('console/settings');
  if (!response.ok) throw await failureOf(response);
  return response.json();
}
