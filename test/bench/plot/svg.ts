// A line chart on two logarithmic axes as SVG text. Equal steps are equal factors: a straight line at 45° is linear growth.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly color: string;
  /** Drawn thick. */
  readonly isSubject: boolean;
  readonly points: readonly Point[];
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly xTicks: readonly Tick[];
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 400;
const PLOT = { left: 64, right: 600, top: 48, bottom: 340 } as const;
const LABEL_HEIGHT = 15;
const FONT = 'font-family="system-ui, sans-serif"';

export function drawChart({ title, xLabel, xTicks, series }: Chart): string {
  const drawn = series.filter(({ points }) => points.length > 0);
  const toX = scale(range(xTicks.map(({ value }) => value)), PLOT.left + 12, PLOT.right - 12);
  const yRange = range(drawn.flatMap(({ points }) => points.map(({ y }) => y)));
  const toY = scale(yRange, PLOT.bottom - 8, PLOT.top + 8);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text({ x: PLOT.left, y: 26 }, title, { size: 15, weight: 600 }),
    ...yTicks(yRange).map((value) => drawYTick(toY(value), value)),
    ...xTicks.map(({ value, label }) => drawXTick(toX(value), label)),
    text({ x: (PLOT.left + PLOT.right) / 2, y: PLOT.bottom + 40 }, xLabel, { anchor: 'middle' }),
    ...drawn.map((each) => drawSeries(each, toX, toY)),
    ...drawNames(drawn, toY),
    '</svg>',
    '',
  ].join('\n');
}

type Range = readonly [least: number, greatest: number];

function range(values: readonly number[]): Range {
  return [Math.min(...values), Math.max(...values)];
}

function scale([least, greatest]: Range, from: number, to: number): (value: number) => number {
  const span = Math.log(greatest / least) || 1;
  return (value) => from + (Math.log(value / least) / span) * (to - from);
}

/** Powers of ten; with fewer than three of them in the range also twice and five times those. */
function yTicks([least, greatest]: Range): readonly number[] {
  const steps = greatest / least > 1000 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= greatest; power *= 10) {
    for (const step of steps) if (step * power >= least && step * power <= greatest) ticks.push(step * power);
  }
  return ticks;
}

function drawYTick(y: number, value: number): string {
  const line = `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${px(y)}" y2="${px(y)}" stroke="#e3e3e3"/>`;
  return line + text({ x: PLOT.left - 8, y: y + 4 }, formatTick(value), { anchor: 'end' });
}

function drawXTick(x: number, label: string): string {
  const line = `<line x1="${px(x)}" x2="${px(x)}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}" stroke="#888888"/>`;
  return line + text({ x, y: PLOT.bottom + 20 }, label, { anchor: 'middle' });
}

function drawSeries(
  { points, color, isSubject }: Series,
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  const path = points.map(({ x, y }) => `${px(toX(x))},${px(toY(y))}`).join(' ');
  const dots = points.map(({ x, y }) => `<circle cx="${px(toX(x))}" cy="${px(toY(y))}" r="3" fill="${color}"/>`);
  const width = isSubject ? 3 : 1.5;
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="${width}"/>${dots.join('')}`;
}

/** Behind the last point of each line; those that would overlap are moved down. */
function drawNames(series: readonly Series[], toY: (y: number) => number): readonly string[] {
  const names = series
    .map(({ name, color, isSubject, points }) => ({ name, color, isSubject, y: toY(points.at(-1)?.y ?? 1) + 4 }))
    .sort((a, b) => a.y - b.y);
  let lowest = -Infinity;
  return names.map(({ name, color, isSubject, y }) => {
    lowest = Math.max(y, lowest + LABEL_HEIGHT);
    return text({ x: PLOT.right + 4, y: lowest }, name, { color, weight: isSubject ? 700 : 400 });
  });
}

interface TextStyle {
  readonly size?: number;
  readonly weight?: number;
  readonly color?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

function text({ x, y }: Point, content: string, style: TextStyle): string {
  const { size = 12, weight = 400, color = '#333333', anchor = 'start' } = style;
  const attributes = `${FONT} font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}"`;
  return `<text x="${px(x)}" y="${px(y)}" ${attributes}>${content}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function formatTick(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1000) return `${value / 1000}k`;
  return String(Number(value.toPrecision(1)));
}
