-- Random keys, made at the first start and shared by all instances. Rotation adds a row; the newest of a purpose signs.
CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX keys_purpose ON keys (purpose, created_at);
