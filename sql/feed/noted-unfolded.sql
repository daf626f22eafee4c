SELECT coalesce(min(id), :folded) AS first FROM temp.unfolded
