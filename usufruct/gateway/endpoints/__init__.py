"""Endpoints of other products that are sold by the call: their listings, their orders, and the way of a call."""
