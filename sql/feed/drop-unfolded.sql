DROP TABLE IF EXISTS temp.unfolded
