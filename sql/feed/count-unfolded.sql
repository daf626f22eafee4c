SELECT count(*) AS entries FROM temp.unfolded
