-- What a person's account needs beyond an address and a password. A frozen user has no password until a reset; a closed
-- one is erased at purge_at.
ALTER TABLE users ADD COLUMN email_verified_at BIGINT;

ALTER TABLE users ADD COLUMN name TEXT;

ALTER TABLE users ADD COLUMN locale TEXT;

ALTER TABLE users ADD COLUMN frozen_at BIGINT;

ALTER TABLE users ADD COLUMN closed_at BIGINT;

ALTER TABLE users ADD COLUMN purge_at BIGINT;

CREATE INDEX users_purge_at ON users (purge_at);

-- What a token will bring about, beside whose it is: the address to prove or to put back, and the password that goes
-- with it. A code is the token's short form, for people who type; it ends sooner.
ALTER TABLE tokens ADD COLUMN email TEXT;

ALTER TABLE tokens ADD COLUMN email_key TEXT;

ALTER TABLE tokens ADD COLUMN hashed_password TEXT;

ALTER TABLE tokens ADD COLUMN locale TEXT;

ALTER TABLE tokens ADD COLUMN code_hash TEXT;

ALTER TABLE tokens ADD COLUMN code_expires_at BIGINT;

-- Reset tokens from before go on to work.
UPDATE tokens SET email = (SELECT users.email FROM users WHERE users.id = tokens.user_id),
  email_key = (SELECT users.email_key FROM users WHERE users.id = tokens.user_id);

CREATE INDEX tokens_email_key ON tokens (purpose, email_key, created_at);
