-- Where the mail of an invitation goes, on PostgreSQL. Twin of migrations/sqlite/0018_invited.sql: same columns.

-- The address that was invited. The user may have another one by now; nothing where nobody knew it.
ALTER TABLE invitation ADD COLUMN address TEXT COLLATE "C";
