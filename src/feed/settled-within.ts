/** Waits for the work, whatever comes of it, but not for longer than this. */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.then(ignore, ignore), timeout]);
  clearTimeout(timer);
}

function ignore(): void {
  // The fold logs its own failure.
}
