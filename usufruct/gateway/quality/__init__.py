"""How good each service is, measured from its calls: success, time to first text, speed; by hour and day."""
