"""`make bench-gateway`: the gateway's hot path beside a bare proxy and peers, on one mock upstream."""
