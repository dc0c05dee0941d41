-- Since when the operator keeps somebody out. Everything stays, and nothing of it opens the account.
ALTER TABLE users ADD COLUMN disabled_at BIGINT;
