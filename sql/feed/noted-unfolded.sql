-- Apart, so that each is one step in the table's own order.
SELECT
  coalesce((SELECT min(id) FROM temp.unfolded), :folded) AS first,
  coalesce((SELECT max(id) FROM temp.unfolded), 0) AS last
