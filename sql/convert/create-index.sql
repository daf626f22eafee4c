CREATE INDEX main.{{index}} ON {{table}} ({{column}})
