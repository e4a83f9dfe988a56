import { afterEach, describe, expect, it, vi } from 'vitest';

import { ReloadSignal } from './reload-signal.js';

describe('SIGHUP', () => {
  const existing = new Set(process.listeners('SIGHUP'));

  afterEach(() => {
    for (const listener of process.listeners('SIGHUP'))
      if (!existing.has(listener)) process.removeListener('SIGHUP', listener);
  });

  function installed(): ReloadSignal {
    const signal = new ReloadSignal();
    signal.install();
    return signal;
  }

  it('reloads once as soon as the keys are there, if it came before them', () => {
    const signal = installed();
    const reload = vi.fn<() => void>();
    for (let signals = 0; signals < 2; signals++) process.emit('SIGHUP');
    signal.connect(reload);
    expect(reload).toHaveBeenCalledTimes(1);
  });

  it('reloads each time, once the keys are there', () => {
    const signal = installed();
    const reload = vi.fn<() => void>();
    signal.connect(reload);
    expect(reload).not.toHaveBeenCalled();
    for (let signals = 0; signals < 2; signals++) process.emit('SIGHUP');
    expect(reload).toHaveBeenCalledTimes(2);
  });
});
