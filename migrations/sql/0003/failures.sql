-- How often the database refused an operation that the server had found in order: after the third
-- request with it, its client is told to stop.

CREATE TABLE failures (
    account_id UUID NOT NULL,
    op_id UUID NOT NULL,
    tries INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (account_id, op_id)
);
ALTER TABLE failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE failures FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON failures TO memory_app
    USING (account_id = NULLIF(current_setting('app.account', true), '')::uuid);
CREATE POLICY functions_of_owner ON failures TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE ON failures TO memory_app;

CREATE OR REPLACE FUNCTION memory_erase() RETURNS TABLE (table_name text, removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := NULLIF(current_setting('app.account', true), '')::uuid;
BEGIN
    PERFORM FROM accounts a WHERE a.id = account FOR UPDATE;
    FOREACH table_name IN ARRAY ARRAY['memories', 'history', 'ops', 'failures', 'account_epochs',
                                      'api_keys', 'rate_limits'] LOOP
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
