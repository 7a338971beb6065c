"""Free samples: calls that visitors make without payment, counted for each network and for all together."""
