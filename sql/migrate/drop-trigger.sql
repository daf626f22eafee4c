DROP TRIGGER {{trigger}}
