import uPlot from './uplot.js';

import { milliseconds, timeOf } from './format.js';

const SHOWN_SECONDS = 60;
const HEIGHT = 150;

function secondsOf(_plot, splits) {
  return splits.map((unixSeconds) => timeOf(unixSeconds * 1000).slice(0, 8));
}

function lastMinute(_plot, _min, max) {
  const latest = max ?? Date.now() / 1000;
  return [latest - SHOWN_SECONDS, latest];
}

function fromZero(_plot, _min, max) {
  return [0, Math.max(1, (max ?? 0) * 1.2)];
}

/** Messages per second and the mean latency of the last minute. */
export class Chart {
  /** @readonly */
  #target = document.querySelector('#chart');
  /** @readonly */
  #rate = document.querySelector('#rate');
  /** @readonly */
  #latency = document.querySelector('#latency');
  /** @readonly */
  #points = [];
  #last;
  #plot;

  constructor() {
    this.#draw();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(this.#target);
  }

  add({ unixMs, calls }) {
    const last = this.#last;
    this.#last = { unixMs, calls };
    if (last === undefined || unixMs <= last.unixMs) return;
    const begun = calls.begun - last.calls.begun;
    const answered = calls.answered - last.calls.answered;
    if (begun < 0) return; // the app has started again
    const rate = (begun * 1000) / (unixMs - last.unixMs);
    const latency = answered === 0 ? null : (calls.latencyMs - last.calls.latencyMs) / answered;
    this.#points.push([unixMs / 1000, rate, latency]);
    if (this.#points.length > SHOWN_SECONDS) this.#points.shift();
    this.#rate.textContent = rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
    if (latency !== null) this.#latency.textContent = milliseconds(latency);
    this.#plot.setData(this.#data());
  }

  #data() {
    return [0, 1, 2].map((column) => this.#points.map((point) => point[column]));
  }

  #size() {
    return { width: this.#target.clientWidth, height: HEIGHT };
  }

  #draw() {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
    const options = {
      ...this.#size(),
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { range: lastMinute }, y: { range: fromZero }, ms: { range: fromZero } },
      axes: [
        { ...axis, grid: { show: false }, values: secondsOf },
        { ...axis, size: 44 },
        { ...axis, scale: 'ms', side: 1, size: 44, grid: { show: false } },
      ],
      series: [
        {},
        { stroke: color('--sent'), width: 2, points: { show: false } },
        { scale: 'ms', stroke: color('--received'), width: 2, dash: [5, 4], spanGaps: true, points: { show: false } },
      ],
    };
    this.#plot = new uPlot(options, this.#data(), this.#target);
  }
}
