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

const [WIDTH, HEIGHT] = [720, 400];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 600, 48, 340]; // of the plot
const LABEL_HEIGHT = 15;

export function drawChart({ title, xLabel, xTicks, series }: Chart): string {
  const drawn = series.filter(({ points }) => points.length > 0);
  const heights = drawn.flatMap(({ points }) => points.map(({ y }) => y));
  const toX = logScale(
    xTicks.map(({ value }) => value),
    LEFT + 12,
    RIGHT - 12,
  );
  const toY = logScale(heights, BOTTOM - 8, TOP + 8);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 26, title, { size: 15, weight: 600 }),
    ...yTicks(heights).map((value) => {
      const y = px(toY(value));
      const line = `<line x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}" stroke="#e3e3e3"/>`;
      return line + text(LEFT - 8, toY(value) + 4, formatTick(value), { anchor: 'end' });
    }),
    ...xTicks.map(({ value, label }) => {
      const x = px(toX(value));
      const line = `<line x1="${x}" x2="${x}" y1="${BOTTOM}" y2="${BOTTOM + 5}" stroke="#888888"/>`;
      return line + text(toX(value), BOTTOM + 20, label, { anchor: 'middle' });
    }),
    text((LEFT + RIGHT) / 2, BOTTOM + 40, xLabel, { anchor: 'middle' }),
    ...drawn.map(({ points, color, isSubject }) => {
      const at = points.map(({ x, y }) => [px(toX(x)), px(toY(y))] as const);
      const line = `<polyline points="${at.map((each) => each.join()).join(' ')}" fill="none" stroke="${color}" stroke-width="${isSubject ? 3 : 1.5}"/>`;
      return line + at.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`).join('');
    }),
    ...drawNames(drawn, toY),
    '</svg>',
    '',
  ].join('\n');
}

function logScale(values: readonly number[], from: number, to: number): (value: number) => number {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const span = Math.log(greatest / least) || 1;
  return (value) => from + (Math.log(value / least) / span) * (to - from);
}

/** Powers of ten; with fewer than three of them in the range also twice and five times those. */
function yTicks(values: readonly number[]): readonly number[] {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const steps = greatest / least > 1000 ? [1] : [1, 2, 5];
  const powers: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= greatest; power *= 10) powers.push(power);
  return powers
    .flatMap((power) => steps.map((step) => step * power))
    .filter((tick) => tick >= least && tick <= greatest);
}

/** Behind the last point of each line; those that would overlap are moved down. */
function drawNames(series: readonly Series[], toY: (y: number) => number): readonly string[] {
  const names = series
    .map(({ points, ...each }) => ({ ...each, y: toY(points.at(-1)?.y ?? 1) + 4 }))
    .sort((a, b) => a.y - b.y);
  let lowest = -Infinity;
  return names.map(({ name, color, isSubject, y }) => {
    lowest = Math.max(y, lowest + LABEL_HEIGHT);
    return text(RIGHT + 4, lowest, name, { color, weight: isSubject ? 700 : 400 });
  });
}

function text(
  x: number,
  y: number,
  content: string,
  { size = 12, weight = 400, color = '#333333', anchor = 'start' },
): string {
  const font = `font-family="system-ui, sans-serif" font-size="${size}" font-weight="${weight}"`;
  return `<text x="${px(x)}" y="${px(y)}" ${font} fill="${color}" text-anchor="${anchor}">${content}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function formatTick(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1000) return `${value / 1000}k`;
  return String(Number(value.toPrecision(1)));
}
