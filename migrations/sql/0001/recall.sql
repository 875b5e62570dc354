-- Recall. It runs as the owner, since a full-text match is not leakproof: under a policy it would
-- stay out of the index. So each statement here names the account, and takes it from the setting of
-- the transaction and from nowhere else.
--
-- A sample of the account tells which words are frequent in it. The rare ones bring the candidates,
-- and so do frequent ones that are rare together; all words are then looked for in the candidates
-- alone. Reading every entry of a frequent word would cost more than all else. The newest memories
-- take part as well, so that frequent words find something even where rare ones find little.

CREATE FUNCTION memory_term(term text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN term LIKE '%*' AND translate(term, '*\', '') ~ '[^[:space:]]'
        THEN to_tsquery('pg_catalog.simple', quote_literal(translate(term, '*\', '')) || ':*')
        ELSE phraseto_tsquery('pg_catalog.english', term) END
$$;
COMMENT ON FUNCTION memory_term IS 'One term of a query: a word, words in a row, or a beginning*.';

CREATE FUNCTION memory_anchor(queries tsquery[], shares double precision[], weights real[],
                              rare double precision)
RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, {schema}, pg_temp
AS $$
    WITH term AS (
        SELECT t.*, sum(t.share) OVER (ORDER BY t.share, t.place) <= rare AS is_rare
        FROM unnest(queries, shares, weights) WITH ORDINALITY t(query, share, weight, place)
    ), together AS (
        SELECT a.query && b.query AS query, a.share * b.share AS share
        FROM term a JOIN term b ON a.place < b.place WHERE NOT a.is_rare AND NOT b.is_rare
        UNION ALL
        SELECT string_agg(t.query::text, ' & ')::tsquery, exp(sum(ln(t.share)))
        FROM term t WHERE t.weight >= 1 HAVING NOT bool_or(t.is_rare) AND count(*) > 2
    ), chosen AS (
        SELECT t.query FROM term t WHERE t.is_rare
        UNION ALL
        (SELECT r.query FROM (
            SELECT p.query, p.share, sum(p.share) OVER (ORDER BY p.share, p.query) AS reach
            FROM together p) r
         WHERE r.reach <= rare / 2 ORDER BY r.share LIMIT 10)
    )
    SELECT string_agg('(' || c.query::text || ')', ' | ')::tsquery FROM chosen c
$$;
COMMENT ON FUNCTION memory_anchor IS
    'What brings the candidates: terms that few memories hold (at most the share `rare`), and '
    'frequent ones together; null if there is neither. Shares must be over 0.';

-- What a plan costs here is how many rows it fetches, and nothing else: by the usual costs the
-- planner would read a whole account that it takes for small, which a few minutes ago it was.
CREATE FUNCTION memory_brought(account uuid, anchor tsquery)
RETURNS TABLE (uid uuid, tsv tsvector, category text, scope text, project text,
               expires_at timestamptz)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, {schema}, pg_temp
SET cpu_tuple_cost = 100 SET cpu_operator_cost = 0 SET cpu_index_tuple_cost = 0
SET random_page_cost = 0 SET seq_page_cost = 0 SET enable_seqscan = off
SET max_parallel_workers_per_gather = 0 SET jit = off
AS $$
    SELECT m.uid, m.tsv, m.category, m.scope, m.project, m.expires_at FROM memories m
    WHERE m.account_id = account AND m.deleted_at IS NULL AND m.tsv @@ anchor
$$;
COMMENT ON FUNCTION memory_brought IS 'The memories of an account that match, by the search index.';

CREATE FUNCTION memory_recall(terms text[], weights real[], wanted integer, in_category text,
                              in_scope text, in_project text, sort_by text)
RETURNS TABLE (uid uuid, rank real, matched text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
SET plan_cache_mode = force_custom_plan SET jit = off
ROWS 10 -- more, and the planner would read whole accounts to show what was found
AS $$
DECLARE
    sampled CONSTANT integer := 200; -- memories looked at to see which words are frequent
    newest CONSTANT integer := 3000; -- memories looked at if all words are; a tenth of it always
    brought CONSTANT double precision := 500; -- candidates that words may bring
    judged CONSTANT integer := 100;  -- candidates compared closely
    account CONSTANT uuid := NULLIF(current_setting('app.account', true), '')::uuid;
    total double precision;
    last_no bigint;
    words text[];
    queries tsquery[];
    worth real[];
    shares double precision[];
    anchor tsquery;
BEGIN
    SELECT greatest(a.live, 1), greatest(a.next_no - 1, 1) INTO total, last_no
    FROM accounts a WHERE a.id = account;

    WITH asked AS MATERIALIZED (
        SELECT DISTINCT ON (q.query) q.query, q.term, q.weight
        FROM (SELECT memory_term(t.term) AS query, t.term, t.weight
              FROM unnest(terms, weights) t(term, weight)) q
        WHERE numnode(q.query) > 0 ORDER BY q.query, q.weight DESC
    ), sample AS MATERIALIZED (
        SELECT m.tsv
        FROM generate_series(1, last_no, greatest(1, last_no / sampled)) n(no)
        CROSS JOIN LATERAL ( -- the limits here and below keep each look-up one by one
            SELECT o.tsv FROM memories o
            WHERE o.account_id = account AND o.no = n.no AND o.deleted_at IS NULL LIMIT 1) m
    ), counted AS MATERIALIZED (
        SELECT a.query, a.term, a.weight,
               (SELECT avg((s.tsv @@ a.query)::integer) FROM sample s)::double precision AS share
        FROM asked a
    )
    -- What the sample does not hold at all may still be in one of so many.
    SELECT array_agg(c.query), array_agg(c.term), array_agg(c.weight),
           array_agg(greatest(c.share, 0.5 / sampled))
    INTO queries, words, worth, shares
    FROM (SELECT * FROM counted ORDER BY share, weight DESC, term) c;
    IF queries IS NULL THEN
        RETURN;
    END IF;
    anchor := memory_anchor(queries, shares, worth, greatest(brought / total, 0.75 / sampled));

    RETURN QUERY
    WITH term AS MATERIALIZED (
        SELECT * FROM unnest(queries, words, worth, shares) WITH ORDINALITY
            t(query, word, weight, share, place)
    ), found AS MATERIALIZED (
        SELECT b.* FROM memory_brought(account, anchor) b
        UNION ALL
        SELECT n.* FROM (
            SELECT m.uid, m.tsv, m.category, m.scope, m.project, m.expires_at
            FROM memories m
            WHERE m.account_id = account AND m.deleted_at IS NULL
              AND (in_category = '' OR m.category = in_category)
            ORDER BY m.created_at DESC, m.uid DESC
            LIMIT CASE WHEN anchor IS NULL THEN newest ELSE newest / 10 END) n
        WHERE anchor IS NULL OR NOT n.tsv @@ anchor
    ), held AS MATERIALIZED (
        SELECT f.uid, t.place FROM found f JOIN term t ON f.tsv @@ t.query
        WHERE (in_category = '' OR f.category = in_category)
          AND (f.expires_at IS NULL OR f.expires_at > now())
          AND CASE in_scope WHEN 'all' THEN true
                            WHEN 'global' THEN f.scope = 'global'
                            WHEN 'project' THEN f.scope = 'project' AND f.project = in_project
                            ELSE f.scope = 'global' OR f.project = in_project END
    ), gain AS MATERIALIZED (
        SELECT t.*, t.weight * ln((total + 101) / (0.5 + CASE WHEN t.share > 0.5 / sampled
            THEN t.share * total ELSE (SELECT count(*) FROM held h WHERE h.place = t.place) END))
            AS gain
        FROM term t
    ), best AS (
        SELECT h.uid, sum(g.gain) AS mass, array_agg(h.place) AS places
        FROM held h JOIN gain g USING (place)
        GROUP BY h.uid ORDER BY mass DESC LIMIT judged
    ), scored AS (
        SELECT m.uid, m.importance, m.created_at, s.matched, s.asked,
               s.value * (1 + 0.06 * m.importance + 0.03 * m.no / last_no) AS value
        FROM best b CROSS JOIN LATERAL (
            SELECT o.* FROM memories o WHERE o.account_id = account AND o.uid = b.uid LIMIT 1) m
        CROSS JOIN LATERAL (
            SELECT sum(g.gain * ts_rank('{0.1,0.5,0.8,1.0}', m.tsv, g.query, 1)) * 6 AS value,
                   array_agg(g.word ORDER BY g.gain DESC) AS matched,
                   count(*) FILTER (WHERE g.weight >= 1) AS asked
            FROM gain g WHERE g.place = ANY (b.places)) s
        WHERE NOT EXISTS (
            SELECT FROM memories n
            WHERE n.account_id = account AND n.supersedes = b.uid AND n.deleted_at IS NULL
            OFFSET 0)
    )
    SELECT s.uid, s.value::real, s.matched FROM scored s
    ORDER BY CASE sort_by WHEN 'importance' THEN s.importance END DESC NULLS LAST,
             CASE sort_by WHEN 'recency' THEN s.created_at END DESC NULLS LAST,
             s.asked > 0 AND s.asked = (SELECT count(*) FROM term t WHERE t.weight >= 1) DESC,
             s.value DESC, s.created_at DESC, s.uid DESC
    LIMIT wanted;
END
$$;
COMMENT ON FUNCTION memory_recall IS
    'The memories of this account that fit best. weights: 1 for words of the context, less for others.';
