SELECT count(*) AS total FROM {{table}}
