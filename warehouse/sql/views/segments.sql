-- Segments of accounts: eight by size and eight by profit, and one of each kind for those of whom it
-- is not known.  See docs/definitions.md, Segments.
--
-- grain: segment
-- units: bounds are USD, half-open [at_least, below); null: no bound; a segment without either bound
--        holds those of whom the amount is not known; nth counts from the smallest amount
select
    one.segment,
    one.kind,
    one.nth,
    one.at_least,
    one.below
from (select unnest(segment_list()) as one) as listed
order by one.kind desc, one.nth
