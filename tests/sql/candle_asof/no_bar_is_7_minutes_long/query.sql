from candle_asof('BTC', timestamptz '2026-01-02 06:00:00+00', interval_ := '7m')
