-- a is asked at 10:00 and 12:10, and closed in between at 12:00; b is asked once.  A look that failed is
-- none.  The second sweep ends within the range, the third does not.
select * from position_spells('2026-01-08T09:00Z', '2026-01-08T14:00Z', max_gap := interval 3 hours)
