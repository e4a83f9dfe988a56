// Checks of a page that run inside of it.
import type { Page } from 'playwright-core';

/** WCAG 2.2, 1.4.3 and 1.4.11, level AA. */
const MIN_CONTRAST = { text: 4.5, largeText: 3, control: 3 };

const MAX_CONTROLS = 60;

/** Returns each text, and each border of a control, whose contrast is too low. */
export function lowContrast(page: Page): Promise<readonly string[]> {
  return page.evaluate((min) => {
    type Color = readonly [number, number, number, number];
    const parse = (text: string): Color => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return [red, green, blue, alpha];
    };
    const luminance = ([red, green, blue]: Color): number => {
      const [r = 0, g = 0, b = 0] = [red, green, blue]
        .map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one: Color, other: Color): number => {
      const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05);
    };
    const groundOf = (element: Element | null): Color => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor);
        if (color[3] === 1) return color;
      }
      return [255, 255, 255, 1];
    };
    const isVisible = (element: Element): boolean =>
      element.checkVisibility() && element.getBoundingClientRect().width > 1;
    const findings: string[] = [];
    for (const element of document.body.querySelectorAll('*')) {
      if (!isVisible(element)) continue;
      const style = getComputedStyle(element);
      const ownText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== '');
      const isField = element.matches('input, textarea');
      if (ownText || isField) {
        const size = Number.parseFloat(style.fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const ratio = contrast(parse(style.color), groundOf(element));
        if (ratio < (isLarge ? min.largeText : min.text))
          findings.push(`${element.tagName} "${element.textContent?.slice(0, 30)}": ${ratio.toFixed(2)}`);
      }
      if (isField && !element.matches('[type=radio], [type=checkbox]')) {
        const ratio = contrast(parse(style.borderTopColor), groundOf(element.parentElement));
        if (ratio < min.control) findings.push(`border of ${element.id}: ${ratio.toFixed(2)}`);
      }
    }
    return findings;
  }, MIN_CONTRAST);
}

/** Returns each control that has no name for assistive technology. */
export function unnamedControls(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const controls = document.querySelectorAll<HTMLInputElement | HTMLButtonElement>(
      'button, input, textarea, select, a[href]',
    );
    const nameOf = (control: HTMLInputElement | HTMLButtonElement): string =>
      [control.getAttribute('aria-label'), control.labels?.[0]?.textContent, control.textContent].join(' ').trim();
    return [...controls].filter((control) => nameOf(control) === '').map(({ outerHTML }) => outerHTML);
  });
}

/** Returns the controls that the Tab key reaches, in their order, and those whose focus is not visible. */
export async function keyboardPath(page: Page) {
  const reached: string[] = [];
  const invisible: string[] = [];
  for (let press = 0; press < MAX_CONTROLS; press++) {
    await page.keyboard.press('Tab');
    const { name, isOutlined, isEnd } = await page.evaluate(() => {
      const element = document.activeElement ?? document.body;
      const label = element.id === '' ? (element.textContent ?? '').trim() : element.id;
      const { outlineStyle } = getComputedStyle(element);
      return { name: label, isOutlined: outlineStyle !== 'none', isEnd: element === document.body };
    });
    if (isEnd) break;
    reached.push(name);
    if (!isOutlined) invisible.push(name);
  }
  return { reached, invisible };
}

/** Begins to note the most rows that one render adds to a list, and the most that a list has. */
export async function watchRows(page: Page): Promise<void> {
  await page.evaluate(() => {
    const counts = { rendered: 0, kept: 0 };
    Object.assign(globalThis, { rowCounts: counts });
    for (const list of document.querySelectorAll('.rows')) {
      // A list renders once in a frame, and an observer is called once after that.
      new MutationObserver((records) => {
        const added = records.reduce((sum, { addedNodes }) => sum + addedNodes.length, 0);
        counts.rendered = Math.max(counts.rendered, added);
        counts.kept = Math.max(counts.kept, list.childElementCount);
      }).observe(list, { childList: true });
    }
  });
}

export function mostRows(page: Page): Promise<{ readonly rendered: number; readonly kept: number }> {
  return page.evaluate(() => (globalThis as unknown as { rowCounts: { rendered: number; kept: number } }).rowCounts);
}
