/** Every metric of ours begins with it; those of the process keep the names that Prometheus gives them. */
export const PREFIX = 'sqlite_p2p_sync_';
