import { chromium, type Browser } from 'playwright-core';

/** Also on a machine three times slower, with other tests beside. */
export const BROWSER_TIMEOUT_MS = 30_000;

/** Starts it without a window. It is to ask for nothing but what the page asks for. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: BROWSER_TIMEOUT_MS,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}
