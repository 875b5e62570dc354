-- What a memory means, as a vector of one model: a byte for each dimension, 128 being zero. `signs` has
-- a bit for each, by which very many are compared at once. Both are empty where the model knows no word.

CREATE TABLE meanings (
    account_id UUID NOT NULL,
    no BIGINT NOT NULL,
    model TEXT NOT NULL,
    vector BYTEA NOT NULL,
    signs BIT VARYING NOT NULL,
    PRIMARY KEY (account_id, no, model)
);
ALTER TABLE meanings ENABLE ROW LEVEL SECURITY;
ALTER TABLE meanings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON meanings TO memory_app
    USING (account_id = NULLIF(current_setting('app.account', true), '')::uuid);
CREATE POLICY functions_of_owner ON meanings TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON meanings TO memory_app;

CREATE OR REPLACE FUNCTION memory_erase() RETURNS TABLE (table_name text, removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := NULLIF(current_setting('app.account', true), '')::uuid;
BEGIN
    PERFORM FROM accounts a WHERE a.id = account FOR UPDATE;
    FOREACH table_name IN ARRAY ARRAY['memories', 'meanings', 'history', 'ops', 'failures',
                                      'account_epochs', 'api_keys', 'rate_limits'] LOOP
        EXECUTE format('DELETE FROM %I WHERE account_id = $1', table_name) USING account;
        GET DIAGNOSTICS removed = ROW_COUNT;
        RETURN NEXT;
    END LOOP;
    table_name := 'accounts';
    DELETE FROM accounts a WHERE a.id = account;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN NEXT;
END
$$;

CREATE FUNCTION memory_accounts(after_account uuid DEFAULT NULL, most_accounts integer DEFAULT 100)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    SELECT a.id FROM accounts a WHERE after_account IS NULL OR a.id > after_account
    ORDER BY a.id LIMIT most_accounts
$$;
COMMENT ON FUNCTION memory_accounts IS
    'The next accounts in id order, for what goes from one to the other; nothing else of them.';

REVOKE ALL ON FUNCTION memory_accounts(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memory_accounts(uuid, integer) TO memory_app;
