import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { Duplex } from 'node:stream';

import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';

import { HttpFailure } from './failure/http-failure.js';

const DRAIN_TIMEOUT_MS = 10_000;
/** The time for the answers to calls that are cut short. */
const LAST_ANSWERS_TIMEOUT_MS = 1_000;

/** The calls in progress. A shutdown waits for them for a limited time, and ends streams, which may never end. */
@Injectable()
export class InFlight implements BeforeApplicationShutdown {
  readonly #adapter: HttpAdapterHost;
  readonly #responses = new Set<ServerResponse>();
  readonly #closing = new Subject<never>();
  readonly #overdue = new Subject<never>();

  constructor(@Inject(HttpAdapterHost) adapter: HttpAdapterHost) {
    this.#adapter = adapter;
  }

  /** Errors when the app shuts down; emits nothing before. */
  get closing(): Observable<never> {
    return this.#closing;
  }

  /** Errors when a shutdown stops waiting for running calls; emits nothing before. */
  get overdue(): Observable<never> {
    return this.#overdue;
  }

  /** Whether an answer has been begun on `socket` and is not complete. */
  hasBegunToAnswer(socket: Duplex): boolean {
    return [...this.#responses].some((response) => response.socket === socket && response.headersSent);
  }

  /** A middleware that must come before everything that can answer. */
  readonly track = (_request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
    next();
  };

  async beforeApplicationShutdown(): Promise<void> {
    const server: Server = this.#adapter.httpAdapter.getHttpServer();
    server.close(); // takes no new calls; Nest destroys the remaining connections afterwards
    const failure = new HttpFailure(
      'ERR_SHUTTING_DOWN',
      'The client app is shutting down; call again after the restart',
    );
    this.#closing.error(failure);
    await this.#answered(DRAIN_TIMEOUT_MS);
    this.#overdue.error(failure);
    await this.#answered(LAST_ANSWERS_TIMEOUT_MS);
  }

  async #answered(timeoutMs: number): Promise<void> {
    const answered = [...this.#responses].map((response) => whenClosed(response));
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(answered), deadline]);
    clearTimeout(timer);
  }
}

/** Resolves when `response` is closed, or immediately if it is closed already. */
export function whenClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    finished(response, () => resolve());
  });
}
