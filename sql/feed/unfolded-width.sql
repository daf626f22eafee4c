-- How many key columns the connection's own table has; below 1 where it is not there, or was taken back.
SELECT count(*) - 2 AS keyColumns FROM pragma_table_info('unfolded', 'temp')
