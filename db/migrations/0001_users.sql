-- Who has an account. The address is kept as typed; email_key is what makes two spellings of it one account.
-- A user without hashed_password cannot log in by password. signed_in_at is written by every login: the write takes the
-- row's lock, so that a login and a change of the password come one after the other.
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL UNIQUE,
  hashed_password TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  signed_in_at BIGINT
);
