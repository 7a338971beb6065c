"""Rule-based indices: rulebooks, the engine that computes them, reports and positions."""
