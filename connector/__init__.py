"""The Bread & Butter CRM connector."""
