CREATE TRIGGER {{trigger}} BEFORE INSERT ON {{table}}
WHEN (SELECT applying FROM _sync_guard) IS NOT 1
BEGIN
  {{hints}}
END
