SELECT {{hash}} AS hash
