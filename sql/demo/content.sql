-- Every row, and of each column its type, its value and its bytes.
SELECT {{cells}} FROM {{table}}
