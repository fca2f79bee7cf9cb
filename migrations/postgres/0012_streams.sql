-- Streams on PostgreSQL. Twin of migrations/sqlite/0012_streams.sql: same tables, same columns.

-- Receivers of the kinds push and poll are streams of security event tokens. token_hash: of a stream that is polled, the
-- hash of the token that it is polled with. Of such a stream, rows of `delivery` are `acked` (the receiver has the token,
-- and an earlier one is missing yet) or `dead` (it could not accept it).
ALTER TABLE receiver ADD COLUMN token_hash TEXT COLLATE "C";
CREATE UNIQUE INDEX receiver_token ON receiver (token_hash) WHERE token_hash IS NOT NULL;
