"""This package searches: one rule under many settings, coins and periods, each counted.

``parameters`` of a rule by dotted name; ``space``, the settings that are tried; ``asked``, all
of a search and its name; ``chunk``, some settings on some coins and periods; ``levels``,
settings that share their decisions; ``tapes`` that a process reads once; ``legs``, what
settings decide on one, with ``remembered`` maps; ``tried``, what came of them, by one launch of
a kernel where it can; ``work``, a chunk's trials; ``lacking``, what is not there of the tapes;
``spread`` over threads; ``keep``, what is in the lake and what is still to do; ``table`` of
what came of it; ``choice``, what choosing on some days earned on others; ``survives``, what is
left of the best, and ``told``, that in words; ``result``, all of it as rows and words.
"""
