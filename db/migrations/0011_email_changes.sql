-- How many changes of address are in force, and at which of them an undo link was made. An undo ends only the links of
-- later changes. A link that was used without the former password stays, for whoever has that password.
ALTER TABLE users ADD COLUMN email_changes BIGINT NOT NULL DEFAULT 0;

ALTER TABLE tokens ADD COLUMN email_change BIGINT;

ALTER TABLE tokens ADD COLUMN used_at BIGINT;

-- Links from before go on to work: an undo token's subject is the id of its event, and ids are in order of time.
UPDATE tokens SET email_change = (SELECT COUNT(*) FROM events
  WHERE events.user_id = tokens.user_id AND events.type = 'email_changed' AND events.id < tokens.subject)
WHERE purpose = 'undo';

UPDATE users SET email_changes = (SELECT COUNT(*) FROM events
  WHERE events.user_id = users.id AND events.type = 'email_changed')
WHERE id IN (SELECT user_id FROM tokens WHERE purpose = 'undo');
