-- Segments of accounts: eight by size and eight by profit, and one of each kind for those of whom it
-- is not known.  See docs/definitions.md, Segments.
--
-- grain: segment
-- columns:
--   segment  | none | name of the segment | never | made here
--   kind     | none | what tells its accounts apart: size (account value) or profit (realised)
--       | never | made here
--   nth      | none | its place in its kind, from the smallest amount | never | made here
--   at_least | USD  | least amount, part of it
--       | no bound; neither bound: the amount is not known | made here
--   below    | USD  | end of the amounts, not part of it
--       | no bound; neither bound: the amount is not known | made here
select
    one.segment,
    one.kind,
    one.nth,
    one.at_least,
    one.below
from (select unnest(segment_list()) as one) as listed
order by one.kind desc, one.nth
