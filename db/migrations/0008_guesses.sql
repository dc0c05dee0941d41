-- Wrong guesses in a row, at a password or from a device, and when the next one may be made.
CREATE TABLE guesses (
  id TEXT PRIMARY KEY,
  count BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX guesses_expires_at ON guesses (expires_at);
