-- a is there at the first look and is liquidated in part at 10:20; what is left is cut off at 11:00, for the
-- fills of 12:00 are not held.  b opens before 10:00, closes at 10:30 and opens again before 11:00.  c turns
-- from long to short, which was past its price.  d is gone without a fill.  The look at 13:30 is too late.
select * from position_spells('2026-01-08T09:00Z', '2026-01-08T13:30Z')
