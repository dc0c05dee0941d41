-- One row a device. The cookie's secret is kept as its SHA-256 only. expires_at moves with use and is never later than
-- ends_at, which never moves.
CREATE TABLE sessions (
  secret_hash TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  ip TEXT,
  user_agent TEXT
);

CREATE INDEX sessions_user_id ON sessions (user_id, created_at);

CREATE INDEX sessions_expires_at ON sessions (expires_at);
