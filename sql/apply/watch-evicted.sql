CREATE TEMP TRIGGER watch_evicted AFTER DELETE ON main.{{table}}
BEGIN
  INSERT INTO evicted VALUES ({{oldKey}});
END
