"""Pure: CRM words to slots and back, as data."""
