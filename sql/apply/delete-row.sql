DELETE FROM {{table}} WHERE {{rowIs}}
