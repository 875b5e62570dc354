-- Recall, the database's half of it: what may fit, with all that it is ordered by. As memory_recall does
-- for servers of the version before, it runs as the owner, so each statement here names the account, and
-- takes it from the setting of the transaction and from nowhere else.
--
-- Words bring candidates as there. Meaning brings those whose signs are most like the question's, among
-- the newest: to look at 5,000 costs 2 ms. Then the most promising of both are returned, by what
-- the words are worth and by the signs; the server looks at texts and vectors.

CREATE FUNCTION memory_holding(account uuid, anchor tsquery)
RETURNS TABLE (no bigint, uid uuid, tsv tsvector, category text, scope text, project text,
               session text, session_seq integer, expires_at timestamptz)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, {schema}, pg_temp
SET cpu_tuple_cost = 100 SET cpu_operator_cost = 0 SET cpu_index_tuple_cost = 0
SET random_page_cost = 0 SET seq_page_cost = 0 SET enable_seqscan = off
SET max_parallel_workers_per_gather = 0 SET jit = off
AS $$
    SELECT m.no, m.uid, m.tsv, m.category, m.scope, m.project, m.session, m.session_seq,
           m.expires_at
    FROM memories m
    WHERE m.account_id = account AND m.deleted_at IS NULL AND m.tsv @@ anchor
$$;
COMMENT ON FUNCTION memory_holding IS 'The memories of an account that match, by the search index.';

CREATE FUNCTION memory_is_asked(category text, scope text, project text, expires_at timestamptz,
                                in_category text, in_scope text, in_project text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE -- without a fixed path: so it is put in where it is called
AS $$
    SELECT (in_category = '' OR category = in_category)
       AND (expires_at IS NULL OR expires_at > now())
       AND CASE in_scope WHEN 'all' THEN true
                         WHEN 'global' THEN scope = 'global'
                         WHEN 'project' THEN scope = 'project' AND project = in_project
                         ELSE scope = 'global' OR project = in_project END
$$;
COMMENT ON FUNCTION memory_is_asked IS 'Whether a memory is among those that a question is about.';

CREATE FUNCTION memory_candidates(
    terms text[],            -- a word, words in a row, or a beginning*
    usual real[],            -- the share of all memories that usually hold each
    worth real[],            -- 1 for words of the context, less for others
    in_model text, signs bit varying,         -- what the question means; no bits if nothing is known
    scarce double precision, meaning double precision, everything double precision, -- how words and meaning are fused
    in_category text, in_scope text, in_project text)
RETURNS TABLE (no bigint, held integer[], counts bigint[], vector bytea, live bigint, highest bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
SET plan_cache_mode = force_custom_plan SET jit = off SET enable_seqscan = off
ROWS 10 -- more, and the planner would read whole accounts to show what was found
AS $$
DECLARE
    sampled CONSTANT integer := 200; -- memories looked at to see which words are frequent
    newest CONSTANT integer := 3000; -- memories looked at if all words are; a twentieth always
    rescored CONSTANT integer := 200; -- candidates by words whose meaning is looked at
    scanned CONSTANT integer := 5000; -- memories whose signs are looked at: the newest
    alike CONSTANT integer := 100; -- candidates by meaning
    judged CONSTANT integer := 60; -- candidates compared closely, besides what stands beside them
    steps CONSTANT integer := 20; -- memories that took each other's place
    account CONSTANT uuid := NULLIF(current_setting('app.account', true), '')::uuid;
    bits CONSTANT integer := length(signs);
    total double precision;
    brought double precision; -- candidates that words may bring; in a small account nearly all
    last_no bigint;
    queries tsquery[];
    shares double precision[];
    anchor tsquery;
BEGIN
    SELECT greatest(a.live, 1), greatest(a.next_no - 1, 1) INTO total, last_no
    FROM accounts a WHERE a.id = account;
    brought := greatest(300, 1200 - total);

    WITH sample AS MATERIALIZED (
        SELECT m.tsv
        FROM generate_series(1, last_no, greatest(1, last_no / sampled)) n(no)
        CROSS JOIN LATERAL ( -- the limits here and below keep each look-up one by one
            SELECT o.tsv FROM memories o
            WHERE o.account_id = account AND o.no = n.no AND o.deleted_at IS NULL LIMIT 1) m
    ), asked AS MATERIALIZED (
        SELECT memory_term(t.term) AS query, t.place
        FROM unnest(terms) WITH ORDINALITY t(term, place)
    )
    -- What the sample does not hold at all may still be in one of so many.
    SELECT array_agg(a.query ORDER BY a.place), array_agg(greatest(
        (SELECT avg((s.tsv @@ a.query)::integer) FROM sample s), 0.5 / sampled) ORDER BY a.place)
    INTO queries, shares FROM asked a;
    SELECT memory_anchor(array_agg(t.query), array_agg(t.share), array_agg(t.weight),
                         greatest(brought / total, 0.75 / sampled))
    INTO anchor
    FROM unnest(queries, shares, worth) t(query, share, weight) WHERE numnode(t.query) > 0;

    RETURN QUERY
    WITH RECURSIVE term AS MATERIALIZED (
        SELECT * FROM unnest(queries, usual, worth, shares) WITH ORDINALITY
            t(query, usual, weight, share, place)
    ), found AS MATERIALIZED (
        SELECT f.no, f.uid, f.tsv, f.session, f.session_seq
        FROM (
            SELECT b.* FROM memory_holding(account, anchor) b
            UNION ALL
            SELECT n.* FROM (
                SELECT m.no, m.uid, m.tsv, m.category, m.scope, m.project, m.session, m.session_seq,
                       m.expires_at
                FROM memories m
                WHERE m.account_id = account AND m.deleted_at IS NULL
                  AND (in_category = '' OR m.category = in_category)
                ORDER BY m.created_at DESC, m.uid DESC
                LIMIT CASE WHEN anchor IS NULL THEN newest ELSE newest / 20 END) n
            WHERE anchor IS NULL OR NOT n.tsv @@ anchor) f
        WHERE memory_is_asked(f.category, f.scope, f.project, f.expires_at,
                              in_category, in_scope, in_project)
    ), pair AS MATERIALIZED (
        SELECT f.no, t.place::integer FROM found f JOIN term t ON f.tsv @@ t.query
    ), gain AS MATERIALIZED (
        SELECT c.place, c.count, c.weight * greatest(0.05,
                   ln((total + 101) / (c.count + 100 * c.usual + 0.5))) AS gain
        FROM (
            SELECT t.place::integer, t.weight, t.usual, CASE WHEN t.share > 0.5 / sampled
                THEN round(t.share * total)::bigint
                ELSE (SELECT count(*) FROM pair p WHERE p.place = t.place) END AS count
            FROM term t) c
    ), worded AS MATERIALIZED (
        SELECT p.no, sum(g.gain) AS mass, array_agg(p.place) AS held
        FROM pair p JOIN gain g USING (place) GROUP BY p.no
    ), near AS MATERIALIZED (
        SELECT g.no, g.signs FROM meanings g
        WHERE bits > 0 AND g.account_id = account AND g.model = in_model
          AND g.no > last_no - scanned AND g.signs <> B''
        ORDER BY bit_count(g.signs # memory_candidates.signs) LIMIT alike
    ), likely AS MATERIALIZED (
        (SELECT w.no, w.mass, w.held FROM worded w ORDER BY w.mass DESC LIMIT rescored)
        UNION ALL
        SELECT n.no, 0, '{}' FROM near n
        WHERE NOT EXISTS (SELECT FROM worded w WHERE w.no = n.no)
    ), promising AS MATERIALIZED (
        SELECT l.no, l.held, m.uid, m.session, m.session_seq, EXISTS (
            SELECT FROM memories n
            WHERE n.account_id = account AND n.supersedes = m.uid AND n.deleted_at IS NULL
            OFFSET 0) AS is_superseded
        FROM (
            SELECT l.no, l.held
            FROM likely l LEFT JOIN LATERAL (
                SELECT bit_count(g.signs # memory_candidates.signs) AS apart FROM meanings g
                WHERE bits > 0 AND g.account_id = account AND g.model = in_model AND g.no = l.no
                  AND length(g.signs) = bits LIMIT 1) g ON true
            ORDER BY (l.mass / (everything * (
                    SELECT greatest(sum(n.gain), 1) FROM gain n JOIN term t USING (place)
                    WHERE t.weight >= 1))) ^ scarce
                + meaning * coalesce(cos(pi() * g.apart / bits), 0) DESC, l.no DESC OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT o.* FROM memories o WHERE o.account_id = account AND o.no = l.no LIMIT 1) m
        WHERE m.deleted_at IS NULL AND memory_is_asked(m.category, m.scope, m.project, m.expires_at,
                                                       in_category, in_scope, in_project)
        LIMIT judged
    ), line AS ( -- what took a memory's place, step by step
        SELECT p.no AS first, p.held, p.no, p.uid, 0 AS step FROM promising p WHERE p.is_superseded
        UNION ALL
        SELECT l.first, l.held, s.no, s.uid, l.step + 1
        FROM line l CROSS JOIN LATERAL (
            SELECT o.no, o.uid FROM memories o
            WHERE o.account_id = account AND o.supersedes = l.uid AND o.deleted_at IS NULL
            LIMIT steps) s
        WHERE l.step < steps
    ), beside AS MATERIALIZED (
        SELECT DISTINCT w.no, w.held
        FROM promising p JOIN found f ON f.session = p.session AND p.session <> ''
            AND f.session_seq BETWEEN p.session_seq - 2 AND p.session_seq + 2
        JOIN worded w ON w.no = f.no
    ), given AS ( -- what a memory holds, and whose meaning counts for it: its own, or both
        SELECT p.no, p.held, p.no AS meant FROM promising p
        UNION
        SELECT b.no, b.held, b.no FROM beside b
        UNION
        SELECT l.no, l.held, l.first FROM line l WHERE l.step > 0
        UNION
        SELECT l.no, coalesce(w.held, '{}'), l.no
        FROM line l LEFT JOIN worded w USING (no) WHERE l.step > 0
    )
    SELECT g.no, g.held, (SELECT array_agg(n.count ORDER BY n.place) FROM gain n), v.vector,
           total::bigint, last_no
    FROM given g
    CROSS JOIN LATERAL (
        SELECT o.* FROM memories o WHERE o.account_id = account AND o.no = g.no LIMIT 1) m
    LEFT JOIN LATERAL (
        SELECT o.vector FROM meanings o
        WHERE bits > 0 AND o.account_id = account AND o.model = in_model AND o.no = g.meant
          AND length(o.signs) = bits LIMIT 1) v ON true
    WHERE memory_is_asked(m.category, m.scope, m.project, m.expires_at,
                          in_category, in_scope, in_project)
      AND NOT EXISTS (
        SELECT FROM memories n
        WHERE n.account_id = account AND n.supersedes = m.uid AND n.deleted_at IS NULL
        OFFSET 0);
END
$$;
COMMENT ON FUNCTION memory_candidates IS
    'What may fit: numbers, the places of the terms held, how many memories hold each, vectors, and how '
    'many memories there are.';

REVOKE ALL ON FUNCTION memory_holding(uuid, tsquery) FROM PUBLIC;
REVOKE ALL ON FUNCTION memory_is_asked(text, text, text, timestamptz, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION memory_candidates(text[], real[], real[], text, bit varying,
                                         double precision, double precision, double precision,
                                         text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memory_candidates(text[], real[], real[], text, bit varying,
                                            double precision, double precision,
                                            double precision, text, text, text) TO memory_app;
