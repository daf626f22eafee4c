SELECT count(*) AS entries FROM temp.unfolded WHERE id > :folded
