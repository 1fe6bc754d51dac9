-- A share of the way to liquidation in percent, or an error that says what is allowed.
--
-- macro: checked_threshold(threshold_pct)
case
    when threshold_pct > 0 and threshold_pct <= 100 then threshold_pct::double
    else error(
        'threshold_pct ' || coalesce(threshold_pct::varchar, 'null') || ' is not allowed; use a number above 0, up to 100'
    )
end
