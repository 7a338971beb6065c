"""What shareholders decided a service does: documents of model, prompts and parameters, named by the registry."""
