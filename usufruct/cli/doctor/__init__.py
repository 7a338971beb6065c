"""`usufruct doctor`: what an operator can get wrong, each thing in one line with its remedy."""
