select kind, count(*) as n, min(at_least) as low, max(below) as high, count(*) filter (where at_least is null and below is null) as unknown from segments group by kind order by kind
