-- How often something was tried since its window began. Shared by all instances, and kept over restarts.
CREATE TABLE counters (
  id TEXT PRIMARY KEY,
  count BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX counters_expires_at ON counters (expires_at);
