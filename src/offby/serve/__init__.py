"""Pages that are fed as their data grow, over HTTP; nothing leaves the machine unasked."""
