-- Scenario percentages, or an error that says what is allowed.
--
-- macro: checked_pcts(pcts)
list_transform(coalesce(pcts, [null]), lambda pct: case
    when pct::double >= 1 and pct::double <= 50 and pct::double = floor(pct::double) then pct::integer
    else error('pct ' || coalesce(pct::varchar, 'null') || ' is not allowed; use whole numbers from 1 to 50')
end)
