-- The runs of each study: a run may be of several, which share the rule without the map, so
-- that what a run did is joined to a study by this.
--
-- grain: study_id, run_id
-- reads: backtest_studies, backtest_runs
-- columns:
--   study_id | none | name of the study | never | backtest_studies.study_id
--   run_id   | none | name of a run of it | never | backtest_studies.runs
--   coin     | none | that it was on | the lake does not hold the run | backtest_runs.coin
--   own      | none | true: of the rule that was asked about; false: of the same without the map
--       | never | backtest_studies.runs
with named as (
    select
        s.study_id,
        unnest(json_extract_string(s.runs, '$.own[*]')) as run_id,
        true as own
    from backtest_studies as s
    union all
    select
        s.study_id,
        unnest(json_extract_string(s.runs, '$.base[*]')) as run_id,
        false as own
    from backtest_studies as s
),

-- A run is there once for each reading of ambiguous bars.
held as (
    select
        r.run_id,
        any_value(r.coin) as coin
    from backtest_runs as r
    group by r.run_id
)

select
    n.study_id,
    n.run_id,
    h.coin,
    n.own
from named as n
left join held as h on n.run_id = h.run_id
