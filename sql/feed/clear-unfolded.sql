DELETE FROM temp.unfolded
