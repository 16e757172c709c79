"""One folder a CRM, strangers to each other."""
