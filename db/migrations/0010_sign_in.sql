-- By which methods a session's user was recognised, and when last. A session of before counts as one by password.
ALTER TABLE sessions ADD COLUMN methods TEXT;

ALTER TABLE sessions ADD COLUMN authenticated_at BIGINT;

-- A login whose first factor was right and whose second is awaited. password_mark is the SHA-256 of the stored hash that
-- was right, so that a new password ends the login.
CREATE TABLE pending_logins (
  secret_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  methods TEXT NOT NULL,
  purpose TEXT NOT NULL,
  password_mark TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ip TEXT,
  user_agent TEXT
);

CREATE INDEX pending_logins_user_id ON pending_logins (user_id, created_at);

CREATE INDEX pending_logins_expires_at ON pending_logins (expires_at);
