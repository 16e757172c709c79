"""The fault campaign: real processes killed and starved, while a twin of the CRM counts."""
