"""The verbs: what a person asks of offby. Verbs never import one another's insides."""
