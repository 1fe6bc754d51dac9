-- Width of a bucket in USD, or an error that says which widths are allowed.
--
-- macro: checked_ticks(width_px)
if(
    width_px > 0 and width_px < 'infinity'::double,
    width_px,
    error('width_px ' || width_px || ' is not allowed; use USD above 0, as 100')
)
