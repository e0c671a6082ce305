-- Turns quantconnect_insights into a table of 16 partitions, each a range of projects with about as many rows as the
-- others. PostgreSQL 12 or newer; while no harvest runs; needs the table's size once more on disk until it is done.
--
--     psql "$STORE" -v ON_ERROR_STOP=1 -f docs/partition_insights.sql
--
-- Everything keeps its name, so the provider does not notice. It happens in one transaction: all of it or nothing.

BEGIN;
LOCK TABLE quantconnect_insights IN ACCESS EXCLUSIVE MODE;

ALTER TABLE quantconnect_insights RENAME TO quantconnect_insights_whole;
ALTER INDEX quantconnect_insights_pkey RENAME TO quantconnect_insights_whole_pkey;
ALTER INDEX quantconnect_insights_position RENAME TO quantconnect_insights_whole_position;
ALTER INDEX quantconnect_insights_closing RENAME TO quantconnect_insights_whole_closing;
ALTER INDEX quantconnect_insights_unexpiring RENAME TO quantconnect_insights_whole_unexpiring;
ALTER INDEX quantconnect_insights_observed RENAME TO quantconnect_insights_whole_observed;
ALTER INDEX quantconnect_insights_series RENAME TO quantconnect_insights_whole_series;

CREATE TABLE quantconnect_insights
    (LIKE quantconnect_insights_whole INCLUDING DEFAULTS INCLUDING STORAGE)
    PARTITION BY RANGE (project_id);

DO $$
DECLARE
    partitions CONSTANT integer := 16;
    below bigint;
    previous bigint;
    part integer := 0;
BEGIN
    FOR below IN
        SELECT DISTINCT upper FROM (
            SELECT percentile_disc(share) WITHIN GROUP (ORDER BY project_id) AS upper
              FROM quantconnect_insights_whole,
                   (SELECT n::float8 / partitions AS share FROM generate_series(1, partitions - 1) AS n) AS shares
             GROUP BY share
        ) AS bounds WHERE upper IS NOT NULL ORDER BY upper
    LOOP
        part := part + 1;
        EXECUTE format(
            'CREATE TABLE quantconnect_insights_%s PARTITION OF quantconnect_insights FOR VALUES FROM (%s) TO (%s)',
            lpad(part::text, 2, '0'), coalesce(previous::text, 'MINVALUE'), below
        );
        previous := below;
    END LOOP;
    EXECUTE format(
        'CREATE TABLE quantconnect_insights_%s PARTITION OF quantconnect_insights FOR VALUES FROM (%s) TO (MAXVALUE)',
        lpad((part + 1)::text, 2, '0'), coalesce(previous::text, 'MINVALUE')
    );
END $$;

INSERT INTO quantconnect_insights SELECT * FROM quantconnect_insights_whole;
DROP TABLE quantconnect_insights_whole;

-- After the rows, which is faster. As the provider's own migrations make them.
ALTER TABLE quantconnect_insights ADD PRIMARY KEY (project_id, insight_id);
CREATE INDEX quantconnect_insights_position ON quantconnect_insights (deploy_id, position);
CREATE INDEX quantconnect_insights_closing ON quantconnect_insights (deploy_id, closes_at)
    WHERE closes_at < '2050-01-01 00:00:00+00:00';
CREATE INDEX quantconnect_insights_unexpiring ON quantconnect_insights (deploy_id, generated_at)
    WHERE closes_at IS NULL OR closes_at >= '2050-01-01 00:00:00+00:00';
CREATE INDEX quantconnect_insights_observed ON quantconnect_insights (project_id, observed_at);
CREATE INDEX quantconnect_insights_series ON quantconnect_insights
    (project_id, coalesce(substr(source_model, 1, 200), ''), coalesce(substr(ticker, 1, 200), ''));

COMMIT;
ANALYZE quantconnect_insights;
