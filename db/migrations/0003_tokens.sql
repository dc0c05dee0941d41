-- One-time tokens. The subject is what a token is about; a purpose has one live token for each subject, so that a new
-- one replaces the old in the same statement.
CREATE TABLE tokens (
  purpose TEXT NOT NULL,
  subject TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (purpose, subject),
  UNIQUE (purpose, secret_hash)
);

CREATE INDEX tokens_user_id ON tokens (user_id);

CREATE INDEX tokens_expires_at ON tokens (expires_at);
