-- Of a table that was never analyzed, the planner believes that hardly any row has a null in
-- `deleted_at`. It then takes every account for one row, and any index for as good as the right one.
-- What it learns from these rows (of more accounts than it remembers one by one) holds until the table is analyzed with real ones in it.

INSERT INTO memories (account_id, uid, no, version, content, category, tags, supersedes, expires_at,
                      created_at, updated_at, deleted_at)
SELECT md5('account' || n % 150)::uuid, md5('uid' || n)::uuid, n, n, 'memory ' || n || ' of ' || n % 50,
       (ARRAY['facts', 'decisions', 'preferences', 'patterns', 'references'])[1 + n % 5], 'tag',
       CASE WHEN n % 20 = 0 THEN md5('uid' || n - 1)::uuid END,
       CASE WHEN n % 25 = 0 THEN now() END,
       now() - n * interval '1 minute', now() - n * interval '1 minute',
       CASE WHEN n % 30 = 0 THEN now() END
FROM generate_series(1, 3000) n;
ANALYZE memories;
TRUNCATE memories;
