-- A share that must be known, or an error that says what is allowed.
--
-- gives: fraction | the share | never
-- macro: checked_share(share)
case
    when try_cast(share as double) > 0 and try_cast(share as double) <= 1 then try_cast(share as double)
    else error('share ' || coalesce(share::varchar, 'null') || ' is not allowed; use a number above 0, up to 1')
end
