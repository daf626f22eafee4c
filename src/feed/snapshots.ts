/** A snapshot that is fetched; it stays until it is released. */
export interface HeldSnapshot {
  /** Names this snapshot and no other. */
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  release(): void;
}

/** What `GET /sync/snapshot` serves. */
export interface Snapshots {
  /**
   * The snapshot of this id while it is kept, else one of now. Rejects with `snapshot_building` where that takes longer,
   * `snapshot_busy` while another one is fetched, and with why none can be made.
   */
  hold(id: string | null): Promise<HeldSnapshot>;
}
