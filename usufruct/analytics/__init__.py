"""Ratings, signals and market metrics of assets, and the API that serves them."""
