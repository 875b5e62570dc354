-- Recall, the database's half of it, for less: what it finds is what it found before. Most of its time for
-- an account of the usual size went into planning, so there one plan is kept for all questions. A large
-- account is worth a plan for each question, as all were given before.
--
-- A plan that is kept knows neither the account nor the category nor how many memories are wanted: that
-- the newest come in the order of an index is said by `enable_sort`, and each case has a query of its own.

CREATE OR REPLACE FUNCTION memory_candidates(
    terms text[],            -- a word, words in a row, or a beginning*
    usual real[],            -- the share of all memories that usually hold each
    worth real[],            -- 1 for words of the context, less for others
    in_model text, signs bit varying,         -- what the question means; no bits if nothing is known
    scarce double precision, meaning double precision, everything double precision, -- how words and meaning are fused
    in_category text, in_scope text, in_project text)
RETURNS TABLE (no bigint, held integer[], counts bigint[], vector bytea, live bigint, highest bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_sort = off
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
    usual_size CONSTANT integer := 10000; -- memories of an account up to which one plan serves all
    telling CONSTANT integer := 131072; -- bytes of the table from which on its indexes can be told apart
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
    -- To plan for a large account costs less than a plan for the usual one. And a plan that was made when
    -- hardly anything was stored takes any index of the account for as good as the right one.
    IF total > usual_size OR pg_relation_size('memories'::regclass) < telling THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);
    END IF;

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
    IF total > newest / 20 THEN -- else all are looked at anyway
        SELECT memory_anchor(array_agg(t.query), array_agg(t.share), array_agg(t.weight),
                             greatest(brought / total, 0.75 / sampled))
        INTO anchor
        FROM unnest(queries, shares, worth) t(query, share, weight) WHERE numnode(t.query) > 0;
    END IF;

    RETURN QUERY
    WITH RECURSIVE term AS MATERIALIZED (
        SELECT * FROM unnest(queries, usual, worth, shares) WITH ORDINALITY
            t(query, usual, weight, share, place)
    ), found AS MATERIALIZED (
        SELECT f.no, f.tsv, f.session, f.session_seq
        FROM (
            SELECT b.* FROM memory_holding(account, anchor) b
            UNION ALL
            SELECT n.* FROM (
                (SELECT m.no, m.uid, m.tsv, m.category, m.scope, m.project, m.session, m.session_seq,
                        m.expires_at
                 FROM memories m
                 WHERE in_category = '' AND m.account_id = account AND m.deleted_at IS NULL
                 ORDER BY m.created_at DESC, m.uid DESC
                 LIMIT CASE WHEN anchor IS NULL THEN newest ELSE newest / 20 END)
                UNION ALL
                (SELECT m.no, m.uid, m.tsv, m.category, m.scope, m.project, m.session, m.session_seq,
                        m.expires_at
                 FROM memories m
                 WHERE m.category = in_category AND m.account_id = account AND m.deleted_at IS NULL
                 ORDER BY m.created_at DESC, m.uid DESC
                 LIMIT CASE WHEN anchor IS NULL THEN newest ELSE newest / 20 END)) n
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
        SELECT g.no, bit_count(g.signs # memory_candidates.signs) AS apart FROM meanings g
        WHERE bits > 0 AND g.account_id = account AND g.model = in_model
          AND g.no > last_no - scanned AND g.signs <> B''
        ORDER BY apart LIMIT alike
    ), likely AS MATERIALIZED (
        SELECT l.no, l.mass, l.held, g.apart
        FROM (SELECT * FROM worded w ORDER BY w.mass DESC LIMIT rescored) l LEFT JOIN LATERAL (
            SELECT bit_count(g.signs # memory_candidates.signs) AS apart FROM meanings g
            WHERE bits > 0 AND g.account_id = account AND g.model = in_model AND g.no = l.no
              AND length(g.signs) = bits LIMIT 1) g ON true
        UNION ALL
        SELECT n.no, 0, '{}', n.apart FROM near n
        WHERE NOT EXISTS (SELECT FROM worded w WHERE w.no = n.no)
    ), promising AS MATERIALIZED (
        SELECT l.no, l.held, m.uid, m.session, m.session_seq, EXISTS (
            SELECT FROM memories n
            WHERE n.account_id = account AND n.supersedes = m.uid AND n.deleted_at IS NULL
            OFFSET 0) AS is_superseded
        FROM (
            SELECT l.no, l.held
            FROM likely l
            ORDER BY (l.mass / (everything * (
                    SELECT greatest(sum(n.gain), 1) FROM gain n JOIN term t USING (place)
                    WHERE t.weight >= 1))) ^ scarce
                + meaning * coalesce(cos(pi() * l.apart / bits), 0) DESC, l.no DESC OFFSET 0) l
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
    ), beside AS MATERIALIZED ( -- told by hashes: as joins, these could be compared one by one
        SELECT w.no, w.held FROM worded w
        WHERE (w.no IN (
            SELECT f.no FROM found f
            WHERE f.session <> '' AND ((f.session, f.session_seq) IN (
                SELECT p.session, p.session_seq::bigint + s.step
                FROM promising p, generate_series(-2, 2) s(step) WHERE p.session <> '')) IS TRUE
        )) IS TRUE AND w.no NOT IN (SELECT p.no FROM promising p)
    ), follower AS ( -- what took their place, each for what it holds and for what the first one does
        SELECT l.no, l.held, l.first AS meant FROM line l WHERE l.step > 0
        UNION
        SELECT l.no, coalesce(w.held, '{}'), l.no
        FROM line l LEFT JOIN worded w USING (no) WHERE l.step > 0
    ), given AS ( -- what a memory holds, and whose meaning counts for it
        SELECT p.no, p.held, p.no AS meant FROM promising p WHERE NOT p.is_superseded
        UNION
        SELECT o.no, o.held, o.meant
        FROM (
            SELECT b.no, b.held, b.no AS meant FROM beside b
            UNION ALL
            SELECT f.no, f.held, f.meant FROM follower f
        ) o
        CROSS JOIN LATERAL (
            SELECT m.* FROM memories m WHERE m.account_id = account AND m.no = o.no LIMIT 1) m
        WHERE memory_is_asked(m.category, m.scope, m.project, m.expires_at,
                              in_category, in_scope, in_project)
          AND NOT EXISTS (
            SELECT FROM memories n
            WHERE n.account_id = account AND n.supersedes = m.uid AND n.deleted_at IS NULL
            OFFSET 0)
    )
    SELECT g.no, g.held, (SELECT array_agg(n.count ORDER BY n.place) FROM gain n), v.vector,
           total::bigint, last_no
    FROM given g LEFT JOIN LATERAL (
        SELECT o.vector FROM meanings o
        WHERE bits > 0 AND o.account_id = account AND o.model = in_model AND o.no = g.meant
          AND length(o.signs) = bits LIMIT 1) v ON true;
END
$$;
