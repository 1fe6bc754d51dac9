-- Whether a row of TABLE_versions counts for a moment: what counts today or, with knowable, what
-- counted then: published, and not yet corrected by what was received later.  A knowable that is null
-- asks for what was knowable: who does not say gets nothing from the future.
--
-- gives: none | true: the row counts | known_ts is null
-- macro: stands(known_ts, since_ts, superseded_ts, "at", knowable)
case
    when typeof("at") in ('TIMESTAMP WITH TIME ZONE', '"NULL"') then if(
        coalesce(knowable, true),
        known_ts <= "at"
        and coalesce(since_ts <= "at", true)
        and coalesce(superseded_ts > "at", true),
        superseded_ts is null
    )
    else error('at ' || "at"::varchar || ' is not allowed; use a TIMESTAMPTZ, for others have no time zone')
end
