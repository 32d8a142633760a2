-- Which calls were made because of hints: of these alone so many come first in a minute, whatever else is read.
ALTER TABLE source.calls ADD COLUMN hinted boolean NOT NULL DEFAULT false;
