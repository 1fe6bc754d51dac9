-- A share that must be known, or an error that says what is allowed.
--
-- macro: checked_share(share)
case
    when share::double > 0 and share::double <= 1 then share::double
    else error('share ' || coalesce(share::varchar, 'null') || ' is not allowed; use a number above 0, up to 1')
end
