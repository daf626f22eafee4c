-- Up to here the log was read: what a fold appends is not read again and again for entries that are not folded.
INSERT OR IGNORE INTO temp.unfolded (id) VALUES (:head)
