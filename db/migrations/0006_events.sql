-- What happened: who, what, when, from where. It is the audit log and the source of the mails. A row with mail_at waits
-- for a mail to be sent then, or for the lease of whoever is sending it to run out. The mail's secrets are not here.
CREATE TABLE events (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  user_id TEXT,
  created_at BIGINT NOT NULL,
  ip TEXT,
  user_agent TEXT,
  details TEXT NOT NULL,
  mail TEXT,
  mail_at BIGINT,
  mail_until BIGINT,
  mail_tries BIGINT NOT NULL
);

CREATE INDEX events_user_id ON events (user_id, id);

CREATE INDEX events_created_at ON events (created_at);

CREATE INDEX events_mail_at ON events (mail_at);
