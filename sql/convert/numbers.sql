SELECT {{number}} AS old FROM main.{{table}} AS t
