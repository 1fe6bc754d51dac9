-- What accounts are told apart by, or an error that says what is allowed.
--
-- gives: none | the kind | never
-- macro: checked_kind(kind)
case
    when kind in ('size', 'profit') then kind
    else error('kind ' || coalesce('''' || kind || '''', 'null') || ' is not allowed; use ''size'' or ''profit''')
end
