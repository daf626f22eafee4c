UPDATE {{table}} SET {{assignments}} WHERE {{rowIs}}
