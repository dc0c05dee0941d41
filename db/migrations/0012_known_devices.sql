-- A random part of what the signature of a user's device cookies covers. A new mark makes every earlier cookie unknown.
-- A time would not: a clock that was set back could make an old cookie known again. Null until the first new mark.
ALTER TABLE users ADD COLUMN device_mark TEXT;
