CREATE TRIGGER {{trigger}} BEFORE UPDATE ON {{table}}
WHEN ({{anyChanged}}) AND (SELECT applying FROM _sync_guard) IS NOT 1
BEGIN
  {{hints}}
END
