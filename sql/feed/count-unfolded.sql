SELECT count(*) AS entries FROM temp.unfolded WHERE id > :folded AND table_name IS NOT NULL
