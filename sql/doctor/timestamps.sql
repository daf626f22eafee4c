-- Times of rows, as they are stored: of as many as are looked at.
SELECT {{column}} AS value FROM {{table}} WHERE {{column}} IS NOT NULL LIMIT CAST(:limit AS INTEGER)
