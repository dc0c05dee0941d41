-- Forms that were just posted, so that a second copy of one is told what the first did. word is NULL while the first runs.
CREATE TABLE form_posts (
  id TEXT PRIMARY KEY,
  word TEXT,
  expires_at BIGINT NOT NULL
);

CREATE INDEX form_posts_expires_at ON form_posts (expires_at);
