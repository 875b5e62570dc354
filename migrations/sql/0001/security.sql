-- Row-level security on every table that has an account, also for the owner of the tables; and the
-- least that the application's role needs. The setting is an empty string after a transaction.

DO $do$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['memories', 'ops', 'history', 'account_epochs', 'api_keys',
                                  'rate_limits', 'audit'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_account ON %I TO memory_app '
            'USING (account_id = NULLIF(current_setting(''app.account'', true), '''')::uuid)',
            tenant);
    END LOOP;
    -- The functions below run as the owner. A condition here, even one that is always true of what
    -- they ask for, would keep the full-text match out of the index.
    FOREACH tenant IN ARRAY ARRAY['accounts', 'memories', 'ops', 'history', 'account_epochs',
                                  'api_keys', 'rate_limits'] LOOP
        EXECUTE format(
            'CREATE POLICY functions_of_owner ON %I TO CURRENT_USER USING (true)', tenant);
    END LOOP;
END
$do$;

ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_account ON accounts TO memory_app
    USING (id = NULLIF(current_setting('app.account', true), '')::uuid);

GRANT USAGE ON SCHEMA {schema} TO memory_app;
GRANT SELECT, UPDATE (version, next_no, horizon, live, digest, changed_at) ON accounts TO memory_app;
GRANT SELECT, INSERT, UPDATE ON memories, rate_limits TO memory_app;
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_keys TO memory_app;
GRANT SELECT, INSERT ON ops, keeper_state TO memory_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON history TO memory_app;
GRANT SELECT ON account_epochs, epochs, alembic_version TO memory_app;
GRANT INSERT ON audit TO memory_app;
