select long_notional from leverage_regime('BTC', timestamptz '2026-01-02 06:00:00+00', untrusted := true, within_pct := 50)
