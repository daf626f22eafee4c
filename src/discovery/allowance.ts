/** True at most `count` times within each `spanMs` that begins with a use. `now` in ms; only differences count. */
export function createAllowance(count: number, spanMs: number, now: () => number): () => boolean {
  let beganMs = -Infinity;
  let used = 0;
  return () => {
    const nowMs = now();
    if (nowMs - beganMs >= spanMs) {
      beganMs = nowMs;
      used = 0;
    }
    used += 1;
    return used <= count;
  };
}
