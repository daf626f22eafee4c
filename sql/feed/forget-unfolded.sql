DELETE FROM temp.unfolded WHERE id <= :folded
