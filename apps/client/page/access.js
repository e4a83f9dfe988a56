/** What the app says about itself, and the token that its calls need. The token is kept in memory only. */
export class Access {
  settings;
  #token = '';

  constructor(settings) {
    this.settings = settings;
  }

  static async load() {
    const response = await fetch('console/settings');
    return new Access(await response.json());
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
