-- What the lake holds: rows, sources and period of every table that has rows.
--
-- grain: table_name, source
-- reads: positions, snapshots, fills, candles, funding, asset_contexts, backtest_runs
select 'positions' as table_name, source, count(*) as row_count, min(snapshot_ts) as first_ts, max(snapshot_ts) as last_ts
from positions
group by source
union all by name
select 'snapshots' as table_name, source, count(*) as row_count, min(snapshot_ts) as first_ts, max(snapshot_ts) as last_ts
from snapshots
group by source
union all by name
select 'fills' as table_name, source, count(*) as row_count, min(time_ts) as first_ts, max(time_ts) as last_ts
from fills
group by source
union all by name
select 'candles' as table_name, source, count(*) as row_count, min(start_ts) as first_ts, max(start_ts) as last_ts
from candles
group by source
union all by name
select 'funding' as table_name, source, count(*) as row_count, min(time_ts) as first_ts, max(time_ts) as last_ts
from funding
group by source
union all by name
select 'asset_contexts' as table_name, source, count(*) as row_count, min(context_ts) as first_ts, max(context_ts) as last_ts
from asset_contexts
group by source
union all by name
select 'backtest_runs' as table_name, source, count(*) as row_count, min(start_ts) as first_ts, max(end_ts) as last_ts
from backtest_runs
group by source
order by table_name, source
