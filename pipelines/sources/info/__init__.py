"""This package asks the venue's info endpoint: how often it may, and what the answers say.

``client`` asks within ``budget``; the other modules translate answers, purely, to rows of the
contracts.  Hyperliquid docs, "Info endpoint", "Perpetuals" and "Rate limits" (read 2026-08-22).
"""
