DELETE FROM temp.unfolded WHERE id <= :folded OR id > :head
